/** Series styles: fixed for the schedulers, distinct for all, never told apart by colour alone. */
import { describe, expect, test } from "vitest";
import { CONFIG, FONT_FAMILY, stylesOf } from "../../src/charts/theme.js";
import { SCHEDULERS } from "./tables.js";

const OKABE_ITO = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

describe("styles", () => {
  test("schedulers keep theirs whatever else is drawn, in a fixed order", () => {
    const alone = stylesOf(["hybrid"])[0];
    const among = stylesOf(["vllm", "hybrid", "decode-prioritizing"]);
    expect(among.map((style) => style.name)).toEqual(["decode-prioritizing", "hybrid", "vllm"]);
    expect(among[1]).toEqual(alone);
  });
  test("unknown names take the next free ones", () => {
    const styles = stylesOf([...SCHEDULERS, "sarathi", "orca", "vllm", "plugin"]);
    expect(styles.map((style) => style.color)).toEqual(OKABE_ITO);
  });
  test("no two of twelve share dash and colour, or shape and colour; eight all differ in colour", () => {
    const styles = stylesOf([...SCHEDULERS, ..."abcdefghi"]);
    const distinct = (of: (style: (typeof styles)[0]) => unknown): number =>
      new Set(styles.map((style) => JSON.stringify(of(style)))).size;
    expect(distinct((style) => [style.color, style.dash])).toBe(12);
    expect(distinct((style) => [style.color, style.shape])).toBe(12);
    expect(new Set(styles.slice(0, 8).map((style) => style.color)).size).toBe(8);
    expect(new Set(styles.slice(0, 8).map((style) => JSON.stringify(style.dash))).size).toBe(8);
  });
  test("numbers get an ordered ramp in numeric order", () => {
    const styles = stylesOf(["0.9", "0.1", "10", "0.5"]);
    expect(styles.map((style) => style.name)).toEqual(["0.1", "0.5", "0.9", "10"]);
    expect(styles.map((style) => style.color)).toEqual(["#440154", "#365D8C", "#26A484", "#A5DB36"]);
  });
  test("the private font comes first", () => {
    expect(CONFIG.font.split(",")[0]).toBe(FONT_FAMILY);
    expect(CONFIG.background).toBe("white");
  });
});
