/**
 * Draws one panel of lines: bands, lines, markers and reference rules as layers over common axes. With a
 * single x there is no line to draw: the series stand side by side as points with error bars.
 */
import type { Panel } from "./axes.js";
import type { View } from "./view.js";
import { describeLines } from "./describe.js";
import { measureEncoding, positionEncoding, sideBySide, styleEncodings } from "./encodings.js";
import type { LegendMark } from "./legend.js";
import { pointsOf, unplaced, withMarks } from "./points.js";
import { distinctNumbers, fieldOf, highColumn, lowColumn } from "./rows.js";
import { acrossRules, uprightRules } from "./rules.js";
import { measureScale, positionScale } from "./scales.js";
import type { Style } from "./theme.js";

/** A view with what the figure around it must say. */
export interface DrawnPanel {
  readonly view: View;
  readonly description: string;
  readonly marks: readonly LegendMark[];
}

const BAND: LegendMark = { kind: "band", label: "95 % interval" };
const STEM: LegendMark = { kind: "stem", label: "95 % interval" };

/** Draws one panel with given styles. */
export function linePanel(
  panel: Panel,
  styles: readonly Style[],
  size: { readonly width: number; readonly height: number; readonly xTitle: boolean },
): DrawnPanel {
  const { x, y, series } = panel;
  const points = pointsOf(panel, styles);
  const placed = points.filter((point) => point.x !== null);
  const xs = distinctNumbers(placed.map((point) => point.x));
  const rules = [...(y.rules ?? []), ...unplaced(points, panel)];
  const single = xs.length <= 1;
  const uprights = single ? [] : (panel.verticalRules ?? []);
  const yScale = measureScale(
    [...placed.flatMap(({ value }) => (value === null ? [] : [value])), ...rules.map((rule) => rule.value)],
    [...placed, ...rules].flatMap(({ low, high }) => end(low).concat(end(high))),
    y.zero,
  );
  const edges = uprights.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  const xScale = positionScale(xs, edges, x.scale ?? "linear", x.zero ?? false);
  const above = uprightRules(uprights, xScale, styles, size.width);
  const marked = withMarks(placed, xs, styles);
  const nothing = placed.every((point) => point.value === null) && rules.length === 0;
  const hasIntervals = placed.some((point) => point.low !== null);

  const y0 = measureEncoding(y, yScale, size, above.headroom, nothing);
  const x0 = positionEncoding(x, xScale, size);
  const xField = single ? sideBySide(x, xs, series, styles, size) : { ...x0, field: fieldOf(x.column) };
  const yField = { ...y0, field: fieldOf(y.column) };
  const { color, strokeDash, shape } = styleEncodings(series, styles);
  const at = { x: xField, color };
  const interval = {
    ...at,
    y: { ...y0, field: fieldOf(lowColumn(y.column)) },
    y2: { field: fieldOf(highColumn(y.column)) },
  };
  const lines: View[] = [
    { mark: { type: "area", opacity: styles.length > 4 ? 0.12 : 0.2 }, encoding: interval },
    { mark: { type: "line", strokeWidth: 2 }, encoding: { ...at, y: yField, strokeDash } },
  ];
  const hasAlone = marked.some(({ alone, point }) => alone && point.low !== null);
  const description = describeLines(
    placed,
    panel,
    [...rules, ...uprights].map(({ low = null, high = null, ...rule }) => ({ ...rule, low, high })),
  );
  return {
    view: {
      description,
      width: size.width,
      height: size.height,
      data: { values: marked.map((one) => rowOf(one, panel)) },
      layer: [
        ...acrossRules(rules, y0, yScale, styles, size),
        ...above.layers(x0),
        ...(single ? [] : lines),
        ...(hasAlone ? [whiskers(interval, lowColumn(y.column))] : []),
        markers({ ...at, y: yField, shape }),
        ...(nothing ? [emptyText(size)] : []),
      ],
    },
    description,
    marks: hasIntervals ? [single ? STEM : BAND] : [],
  };
}

/** A point as the data of the view has it. */
const rowOf = (
  { point, marker, alone }: ReturnType<typeof withMarks>[number],
  { x, y, series }: Panel,
): View => ({
  [series.column]: point.series,
  [x.column]: point.x,
  [y.column]: point.value,
  [lowColumn(y.column)]: point.low,
  [highColumn(y.column)]: point.high,
  marker,
  alone,
});

/** The interval of a point that no line leads to. */
const whiskers = (encoding: View, low: string): View => ({
  transform: [{ filter: `datum.alone && isValid(datum[${JSON.stringify(low)}])` }],
  mark: { type: "rule", strokeWidth: 1.5 },
  encoding,
});

const markers = (encoding: View): View => ({
  transform: [{ filter: "datum.marker" }],
  mark: { type: "point", filled: true, opacity: 1, size: 46 },
  encoding,
});

function emptyText(size: { readonly width: number; readonly height: number }): View {
  const place = { align: "center", baseline: "middle", x: size.width / 2, y: size.height / 2 };
  return { data: { values: [{}] }, mark: { type: "text", text: "no values", ...place } };
}

const end = (value: number | null | undefined): number[] => (typeof value === "number" ? [value] : []);
