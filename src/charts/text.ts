/**
 * Words and numbers on a figure: short numbers, how wide a text will be, and wrapping.
 *
 * Specs are made where nothing can measure text, so the advance widths of DejaVu Sans are kept here.
 */
import type { Estimate } from "./rows.js";

/** Advance widths from space to tilde, in hundredths of the font size. */
const WIDTHS = (
  "32 40 46 84 64 95 78 27 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 53 " +
  "100 68 69 70 77 63 58 77 75 29 29 66 56 86 75 79 60 79 69 63 61 73 68 99 69 61 69 39 34 39 84 50 " +
  "50 61 63 55 63 62 35 63 63 28 28 58 28 97 63 61 63 63 41 52 39 63 59 82 59 59 52 64 34 64 84"
)
  .split(" ")
  .map(Number);
/** For letters beyond ASCII: λ has 59, ± has 84. */
const OTHER = 84;
const BOLD = 1.13;

/** The width of `text` in pixels at a font size, rounded up; bold estimated. */
export function textWidth(text: string, size: number, bold = false): number {
  let width = 0;
  for (const letter of text) width += WIDTHS[letter.codePointAt(0)! - 32] ?? OTHER;
  return Math.ceil((width / 100) * size * (bold ? BOLD : 1));
}

/** Breaks `text` at spaces into lines no wider than `width` pixels; `95 %` stays together, a longer word stands alone. */
export function wrap(text: string, width: number, size: number, bold = false): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/ (?!%)/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size, bold) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** A number to four significant digits without trailing zeros: 2.252, 0.01323, 5000. */
export const short = (value: number): string =>
  Math.abs(value) >= 1000 && Math.abs(value) < 1e6
    ? String(Math.round(value))
    : String(Number(value.toPrecision(4)));

/**
 * `2.252 [2.247, 2.257]`: as many decimals as give the half-width two digits; a lone value without interval.
 */
export function shortEstimate({ value, low, high }: Estimate): string {
  if (value === null) return "no value";
  if (low === null || high === null) return short(value);
  let decimals = 0;
  let half = (high - low) / 2;
  if (half === 0) return `${short(value)} [${short(low)}, ${short(high)}]`;
  for (; half < 9.95 && decimals < 12; half *= 10) decimals++;
  return `${value.toFixed(decimals)} [${low.toFixed(decimals)}, ${high.toFixed(decimals)}]`;
}
