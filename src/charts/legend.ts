/**
 * The legend as a strip of its own above the panels: one for the whole figure, never over data. It shows
 * colour, dash and point shape together on a piece of line, and what a shaded band means.
 *
 * A drawn strip instead of Vega's legends: those split when colour, dash and shape are shared by panels.
 */
import type { View } from "./view.js";
import { INK, MUTED, SIZE, type Style } from "./theme.js";
import { textWidth } from "./text.js";
import { thinned } from "./thinned.js";

/** What the strip explains besides the series. */
export interface LegendMark {
  /** A shaded band, a flat whisker, an upright one, an upright mark. */
  readonly kind: "band" | "whisker" | "stem" | "bound";
  readonly label: string;
}

const LINE = 20;
const GAP = 20;
/** The width of each sample. */
const SAMPLES = { heading: 0, line: 36, band: 30, whisker: 30, stem: 4, bound: 4 };

interface Entry {
  readonly label: string;
  readonly kind: "line" | "heading" | LegendMark["kind"];
  readonly style?: Style;
}

/** The strip, `width` pixels wide in as many lines as it takes; null when there is nothing to explain. */
export function legendStrip(
  heading: string,
  styles: readonly Style[],
  marks: readonly LegendMark[],
  width: number,
): View | null {
  const named = thinned(styles);
  const title = named.length < styles.length ? `${heading} (${named.length} of ${styles.length})` : heading;
  const entries: Entry[] = [
    ...(styles.length > 0 && heading !== "" ? [{ label: title, kind: "heading" as const }] : []),
    ...named.map((style) => ({ label: style.name, kind: "line" as const, style })),
    ...marks,
  ];
  if (styles.length + marks.length === 0) return null;
  const placed = arrange(entries, width);
  const height = (placed[placed.length - 1].line + 1) * LINE;
  const channel = (size: number): View => ({
    type: "quantitative",
    scale: { domain: [0, size], nice: false, zero: false },
    axis: null,
  });
  const [x, y] = [channel(width), channel(height)];
  const layer = placed.flatMap((entry) => {
    const middle = height - (entry.line + 0.5) * LINE;
    return [...sample(entry, middle, x, y), label(entry, middle, x, y)];
  });
  return { width, height, data: { values: [{}] }, layer };
}

interface Placed extends Entry {
  readonly from: number;
  readonly to: number;
  readonly text: number;
  readonly line: number;
}

/** Places the entries in lines, from the left. */
function arrange(entries: readonly Entry[], width: number): Placed[] {
  let from = 0;
  let line = 0;
  return entries.map((entry) => {
    const wide = SAMPLES[entry.kind];
    const before = wide === 0 ? 0 : wide + 6;
    const needs = before + textWidth(entry.label, SIZE.label, entry.kind === "heading");
    if (from > 0 && from + needs > width) [from, line] = [0, line + 1];
    const placed = { ...entry, from, to: from + wide, text: from + before, line };
    from += needs + GAP;
    return placed;
  });
}

// `aria: false`: screen readers have the figure's description, the strip would only repeat names.

function sample({ kind, style, from, to }: Placed, middle: number, x: View, y: View): View[] {
  const flat = { x: { ...x, datum: from }, x2: { datum: to }, y: { ...y, datum: middle } };
  const upright = (at: number, half: number): View => ({
    x: { ...x, datum: at },
    y: { ...y, datum: middle - half },
    y2: { datum: middle + half },
  });
  const line = { type: "rule", aria: false, color: MUTED, strokeWidth: 1.5 };
  const center = (from + to) / 2;
  if (kind === "band") {
    const box = { ...upright(from, 6), x2: { datum: to } };
    return [{ mark: { type: "rect", aria: false, color: MUTED, opacity: 0.22 }, encoding: box }];
  }
  if (kind === "stem") return [{ mark: line, encoding: upright(center, 7) }];
  if (kind === "bound")
    return [{ mark: { ...line, color: INK, strokeWidth: 2.5 }, encoding: upright(center, 7) }];
  if (kind === "whisker") {
    return [flat, upright(from, 5), upright(to, 5)].map((encoding) => ({ mark: line, encoding }));
  }
  if (style === undefined) return [];
  const { color, dash, shape } = style;
  const point = { type: "point", aria: false, color, shape, filled: true, opacity: 1, size: 50 };
  return [
    { mark: { ...line, color, strokeDash: dash, strokeWidth: 2 }, encoding: flat },
    { mark: point, encoding: { x: { ...x, datum: center }, y: flat.y } },
  ];
}

function label({ label: text, text: at, kind }: Placed, middle: number, x: View, y: View): View {
  const weight = kind === "heading" ? { fontWeight: "bold" } : {};
  return {
    mark: { type: "text", aria: false, align: "left", baseline: "middle", text, ...weight },
    encoding: { x: { ...x, datum: at }, y: { ...y, datum: middle } },
  };
}
