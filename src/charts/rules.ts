/**
 * Reference rules: a level across the panel (the value without chunking), labelled in the right margin, and
 * a place up the panel (the boundary λ*), labelled above it. Labels stand outside the data and make room
 * for each other. A rule with an interval has a band of its own.
 */
import type { View } from "./view.js";
import { fraction, type Scale } from "./scales.js";
import { textWidth, wrap } from "./text.js";
import { MUTED, SIZE, type Style } from "./theme.js";
import { thinned } from "./thinned.js";

/** A reference line. */
export interface Rule {
  readonly value: number;
  readonly label: string;
  /** Its 95 % interval. */
  readonly low?: number | null;
  readonly high?: number | null;
  /** The series it belongs to, whose colour it takes; grey otherwise. */
  readonly series?: string;
}

const LINE = SIZE.label + 2;
const DASH = [4, 4];

const colorOf = (rule: Rule, styles: readonly Style[]): string =>
  styles.length > 1 ? (styles.find((style) => style.name === rule.series)?.color ?? MUTED) : MUTED;

/** The label in parts, the series first where there are several: colour alone must not tell. */
const labelOf = (rule: Rule, styles: readonly Style[]): string[] =>
  rule.series === undefined || styles.length < 2 ? [rule.label] : [`${rule.series}:`, rule.label];

const bandOf = (rule: Rule): { low: number; high: number } | null =>
  typeof rule.low === "number" && typeof rule.high === "number" ? { low: rule.low, high: rule.high } : null;

/** Horizontal rules. */
export function acrossRules(
  rules: readonly Rule[],
  y: View,
  scale: Scale,
  styles: readonly Style[],
  size: { readonly width: number; readonly height: number },
): View[] {
  const ordered = thinned([...rules].sort((a, b) => b.value - a.value));
  const labels = ordered.map((rule) => labelOf(rule, styles).flatMap((part) => wrap(part, 120, SIZE.label)));
  const heights = labels.map((lines) => lines.length * LINE);
  const centers = spread(
    ordered.map((rule) => (1 - fraction(rule.value, scale)) * size.height),
    heights,
  );
  return ordered.flatMap((rule, index) => {
    const color = colorOf(rule, styles);
    const band = bandOf(rule);
    const data = { values: [{}] };
    const shade: View = {
      data,
      mark: { type: "rect", color, opacity: 0.12 },
      encoding: { y: { ...y, datum: band?.low }, y2: { datum: band?.high } },
    };
    return [
      ...(band === null ? [] : [shade]),
      {
        data,
        mark: { type: "rule", color, strokeDash: DASH, strokeWidth: 1.5 },
        encoding: { y: { ...y, datum: rule.value } },
      },
      {
        data,
        mark: {
          type: "text",
          text: labels[index],
          align: "left",
          baseline: "line-top",
          lineHeight: LINE,
          color,
          x: size.width + 6,
          y: centers[index] - heights[index] / 2,
        },
      },
    ];
  });
}

/** Moves labels down, then up, until none covers another; in order from the top. */
function spread(wanted: readonly number[], heights: readonly number[]): number[] {
  const centers = [...wanted];
  const apart = (index: number): number => (heights[index] + heights[index - 1]) / 2;
  for (let i = 1; i < centers.length; i++) centers[i] = Math.max(centers[i], centers[i - 1] + apart(i));
  // Give back half of the way, so that a crowded group stands around its rules rather than below them.
  const excess = centers.length === 0 ? 0 : centers[centers.length - 1] - wanted[wanted.length - 1];
  return centers.map((center) => center - excess / 2);
}

/** Vertical rules: the layers, and the room their labels take above the panel. */
export function uprightRules(
  rules: readonly Rule[],
  scale: Scale,
  styles: readonly Style[],
  width: number,
): { readonly headroom: number; readonly layers: (x: View) => View[] } {
  const ordered = thinned([...rules].sort((a, b) => a.value - b.value));
  const lineEnds: number[] = [];
  const labels = ordered.map((rule) => {
    const at = fraction(rule.value, scale) * width;
    const wide = textWidth(labelOf(rule, styles).join(" "), SIZE.label);
    const left = Math.max(0, Math.min(width - wide, at - wide / 2));
    let line = 0;
    while ((lineEnds[line] ?? -Infinity) > left) line++;
    lineEnds[line] = left + wide + 8;
    return { left, line };
  });
  const layers = (x: View): View[] =>
    ordered.flatMap((rule, index) => {
      const color = colorOf(rule, styles);
      const band = bandOf(rule);
      const data = { values: [{}] };
      const shade: View = {
        data,
        mark: { type: "rect", color, opacity: 0.12 },
        encoding: { x: { ...x, datum: band?.low }, x2: { datum: band?.high } },
      };
      const { left, line } = labels[index];
      return [
        ...(band === null ? [] : [shade]),
        {
          data,
          mark: { type: "rule", color, strokeDash: DASH, strokeWidth: 1.5 },
          encoding: { x: { ...x, datum: rule.value } },
        },
        {
          data,
          mark: {
            type: "text",
            text: labelOf(rule, styles).join(" "),
            align: "left",
            baseline: "bottom",
            color,
            x: left,
            y: -4 - line * LINE,
          },
        },
      ];
    });
  return { headroom: lineEnds.length * LINE, layers };
}
