/**
 * The axes and series channels of a panel in Vega-Lite's words, made from the scales and styles worked out
 * elsewhere. Each carries everything, so that layers that share an axis agree on it.
 */
import type { Measure, Position, SeriesBy } from "./axes.js";
import type { View } from "./view.js";
import type { Scale } from "./scales.js";
import { textWidth, wrap } from "./text.js";
import { SIZE, type Style } from "./theme.js";

/** The y channel, without a field. `headroom` lifts the title over labels that stand above the panel. */
export function measureEncoding(
  y: Measure,
  scale: Scale,
  size: { readonly width: number; readonly height: number },
  headroom: number,
  bare: boolean,
): View {
  const title = wrap(y.title + scale.note, size.width, SIZE.axisTitle, true);
  const marks = bare
    ? { labels: false, ticks: false, grid: false }
    : { grid: true, ...ticks(scale, Math.round(size.height / 58)) };
  const titleY = -8 - headroom - (title.length - 1) * (SIZE.axisTitle + 2);
  return { type: "quantitative", scale: vegaScale(scale), title, axis: { ...marks, titleY } };
}

/** The x channel of numbers, without a field. */
export function positionEncoding(x: Position, scale: Scale, size: { readonly xTitle: boolean }): View {
  return {
    type: "quantitative",
    scale: { ...vegaScale(scale), ...(scale.type === "log" ? { base: 2 } : {}) },
    title: size.xTitle ? x.title : null,
    axis: { grid: false, ...ticks(scale, 5), labelFlush: false },
  };
}

/** One x value: the series stand side by side, so that equal values do not cover each other. */
export function sideBySide(
  x: Position,
  xs: readonly number[],
  series: SeriesBy,
  styles: readonly Style[],
  size: { readonly width: number; readonly xTitle: boolean },
): View {
  const room = size.width / styles.length;
  const fits = styles.every((style) => textWidth(style.name, SIZE.label) < room - 8);
  const only = xs.length === 1 ? ` = ${xs[0]}` : "";
  return {
    field: series.column,
    type: "nominal",
    scale: { domain: styles.map((style) => style.name) },
    title: size.xTitle ? x.title + only : null,
    axis: { grid: false, labelAngle: 0, labels: fits, ticks: fits },
  };
}

const vegaScale = ({ type, domain }: Scale): View => ({
  type,
  domain,
  nice: false,
  clamp: true,
  ...(type === "linear" ? { zero: false } : {}),
});
/** Explicit ticks are labelled plainly; d3's own log labels would leave some out. */
const ticks = (scale: Scale, count: number): View => ({
  ...(scale.ticks === undefined
    ? { tickCount: count }
    : { values: scale.ticks, labelExpr: "format(datum.value, ',~g')" }),
  ...(scale.domain[0] < 0 ? { gridColor: ZERO_LINE } : {}),
});
const ZERO_LINE = { condition: { test: "datum.value === 0", value: "#8C8C8C" }, value: "#E8E8E8" };

/** Colour, dash and shape by series. The legend is a strip of its own. */
export function styleEncodings(series: SeriesBy, styles: readonly Style[]) {
  const domain = styles.map((style) => style.name);
  const channel = (range: readonly unknown[]): View => ({
    field: series.column,
    type: "nominal",
    legend: null,
    scale: { domain, range },
  });
  return {
    color: channel(styles.map((style) => style.color)),
    strokeDash: channel(styles.map((style) => style.dash)),
    shape: channel(styles.map((style) => style.shape)),
  };
}
