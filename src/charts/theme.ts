/**
 * How every figure looks: fonts, sizes, white background, and a colour, dash and point shape per series.
 *
 * Colours are Okabe and Ito's eight (2008), which stay apart in the common kinds of colour blindness;
 * colour is never the only cue. Schedulers keep their style in every figure, whatever else is drawn.
 * Series that are numbers (ratios, chunk sizes) get an ordered ramp instead: dark to light, like viridis.
 */
import { numberOf } from "./rows.js";

/** The private family under which io/png.ts registers DejaVu Sans; no system font can take its place. */
export const FONT_FAMILY = "llmsim Sans";
/** The same in a Vega editor, where the private family does not exist. */
const FONT = `${FONT_FAMILY}, DejaVu Sans, Verdana, sans-serif`;

/** Font sizes in pixels. */
export const SIZE = { title: 18, subtitle: 13, axisTitle: 13, label: 12 } as const;
export const INK = "#222222";
export const MUTED = "#595959";

/** What tells one series from the others. */
export interface Style {
  readonly name: string;
  readonly color: string;
  readonly dash: readonly number[];
  readonly shape: string;
}

const SOLID = [1, 0];
const BLUE = "#0072B2";
const VERMILION = "#D55E00";
const GREEN = "#009E73";
// The eighth of the palette, yellow, all but vanishes on white: grey stands in for it.
const FREE_COLORS = ["#CC79A7", "#E69F00", "#56B4E9", "#000000", "#767676"];
const FREE_DASHES = [
  [10, 3, 2, 3],
  [5, 2],
  [12, 4],
  [1, 3],
  [6, 2, 1, 2, 1, 2],
];
const FREE_SHAPES = ["diamond", "cross", "triangle-down", "triangle-right", "triangle-left"];

// The first is drawn undermost: solid below, dashes above it, dots on top, so that three equal lines all show.
const FIXED: readonly Style[] = [
  { name: "decode-prioritizing", color: BLUE, dash: SOLID, shape: "circle" },
  { name: "prefill-prioritizing", color: VERMILION, dash: [8, 4], shape: "square" },
  { name: "hybrid", color: GREEN, dash: [2, 2], shape: "triangle-up" },
];

const RAMP = ["#440154", "#472D7B", "#3B528B", "#2C728E", "#21918C", "#28AE80", "#5EC962", "#A5DB36"];
const RAMP_DASHES = [SOLID, [8, 4], [2, 2], [10, 3, 2, 3], [5, 2]];
const RAMP_SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"];

/**
 * A style for every name, in drawing and legend order: the known schedulers first, in their fixed order,
 * then the others as they appear, each with the next free style; names that are numbers in numeric order.
 */
export function stylesOf(names: readonly string[]): Style[] {
  if (names.length > 1 && names.every((name) => numberOf(name) !== null)) return ramp(names);
  const known = FIXED.filter((style) => names.includes(style.name));
  const others = names.filter((name) => !FIXED.some((style) => style.name === name));
  const free = others.map(freeStyle);
  // A lone series needs no dash to be told apart.
  return names.length === 1 && free.length === 1 ? [{ ...free[0], dash: SOLID }] : [...known, ...free];
}

// Past the fifth free name a colour comes back, with another dash and another shape.
function freeStyle(name: string, index: number): Style {
  const round = Math.floor(index / FREE_COLORS.length);
  return {
    name,
    color: FREE_COLORS[index % FREE_COLORS.length],
    dash: FREE_DASHES[(index + round) % FREE_DASHES.length],
    shape: FREE_SHAPES[(index + 2 * round) % FREE_SHAPES.length],
  };
}

function ramp(names: readonly string[]): Style[] {
  const ordered = [...names].sort((a, b) => Number(a) - Number(b));
  return ordered.map((name, index) => ({
    name,
    color: between((index / (ordered.length - 1)) * (RAMP.length - 1)),
    dash: RAMP_DASHES[index % RAMP_DASHES.length],
    shape: RAMP_SHAPES[index % RAMP_SHAPES.length],
  }));
}

/** The ramp's colour at a position that may lie between two stops. */
function between(position: number): string {
  const stop = Math.min(Math.floor(position), RAMP.length - 2);
  const [from, to] = [RAMP[stop], RAMP[stop + 1]];
  const part = (at: number): string => {
    const a = parseInt(from.slice(at, at + 2), 16);
    const b = parseInt(to.slice(at, at + 2), 16);
    const hex = Math.round(a + (b - a) * (position - stop))
      .toString(16)
      .toUpperCase();
    return hex.length < 2 ? `0${hex}` : hex;
  };
  return `#${part(1)}${part(3)}${part(5)}`;
}

/** The Vega-Lite configuration of every figure. Kept inside each spec, so that it opens anywhere as drawn. */
export const CONFIG = {
  background: "white",
  padding: 16,
  font: FONT,
  title: {
    anchor: "start",
    color: INK,
    fontSize: SIZE.title,
    fontWeight: "bold",
    subtitleColor: MUTED,
    subtitleFontSize: SIZE.subtitle,
    subtitleLineHeight: 18,
    subtitlePadding: 6,
    offset: 12,
  },
  view: { stroke: null },
  axis: {
    domainColor: "#8C8C8C",
    tickColor: "#8C8C8C",
    gridColor: "#E8E8E8",
    labelColor: INK,
    labelFontSize: SIZE.label,
    titleColor: INK,
    titleFontSize: SIZE.axisTitle,
    titleFontWeight: "normal",
    titleLimit: 0,
  },
  // The y title lies flat above its axis, where it is read first and without turning the head.
  axisY: { titleAngle: 0, titleAlign: "left", titleBaseline: "bottom", titleX: 0, titleFontWeight: "bold" },
  text: { color: INK, fontSize: SIZE.label },
} as const;
