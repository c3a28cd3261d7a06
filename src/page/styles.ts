/** Colour and dash of a scheduler, as in the figures; brighter where the page is dark. */
import { stylesOf } from "../charts/index.js";
import { isDark } from "./elements.js";

/** Okabe and Ito's blue, vermilion and green have too little contrast on dark; these are their lighter kin. */
const BRIGHTER: Readonly<Record<string, string>> = {
  "#0072B2": "#56B4E9",
  "#D55E00": "#F08A3C",
  "#009E73": "#3FCFA3",
  "#000000": "#EEEEEE",
};

const styleOf = (label: string, i: number) => {
  const [kind] = label.split("(");
  const free = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const known = stylesOf([kind])[0];
  // One of several with the same kind, or of no fixed style, takes a free one by its place.
  return label === kind && known.color !== stylesOf(["x"])[0].color ? known : stylesOf(free)[i % free.length];
};

export const colorOf = (label: string, i: number): string => {
  const { color } = styleOf(label, i);
  return isDark() ? (BRIGHTER[color] ?? color) : color;
};
export const dashOf = (label: string, i: number): readonly number[] => {
  const { dash } = styleOf(label, i);
  return dash.length === 2 && dash[1] === 0 ? [] : dash;
};
