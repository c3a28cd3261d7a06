/**
 * Bars with interval whiskers, grouped by a category (capacity λ* by scenario and scheduler), with a mark
 * for a bound no bar should pass. They lie flat, so that every bar carries its name and its value in words,
 * and always start at zero: the length of a bar is its value.
 */
import type { TopLevelSpec } from "vega-lite";
import type { SeriesBy } from "./axes.js";
import type { View } from "./view.js";
import { describeBars } from "./describe.js";
import { figure, type Heading } from "./figure.js";
import type { LegendMark } from "./legend.js";
import {
  fieldOf,
  distinctNames,
  distinctNumbers,
  estimateOf,
  nameOf,
  numberOf,
  requireColumns,
  requireUnique,
  type Point,
  type Row,
} from "./rows.js";
import { measureScale } from "./scales.js";
import { short, shortEstimate, textWidth } from "./text.js";
import { SIZE, stylesOf, type Style } from "./theme.js";

export interface BarsOptions extends Heading {
  readonly rows: readonly Row[];
  readonly series: SeriesBy;
  /** What is measured, with `<column>_ci95_low` and `_high` when the table has them. */
  readonly value: { readonly column: string; readonly title: string };
  /** Groups of bars; none: one group. */
  readonly category?: { readonly column: string };
  /** A column with a bound for each bar, drawn as an upright mark and named in the legend. */
  readonly bound?: { readonly column: string; readonly title: string };
  readonly width?: number;
}

interface Bar extends Point {
  readonly category: string;
  readonly bound: number | null;
}

/** A line of the chart: a bar, or the heading of a group. */
interface Line {
  readonly heading: string | null;
  readonly bar: Bar | null;
}

const LINE = 30;

export function bars(options: BarsOptions): TopLevelSpec {
  const { rows, value, bound, category } = options;
  const width = options.width ?? 560;
  const all = barsOf(options);
  const groups = category === undefined ? [""] : distinctNames(rows, category.column);
  const styles = stylesOf(distinctNames(rows, options.series.column));
  const descriptions = groups.map((group) => {
    const own = all.filter((bar) => bar.category === group);
    return (
      describeBars(own, group === "" ? value.title : `${value.title}, ${group}`, options.series) +
      boundOf(own)
    );
  });
  function boundOf(own: readonly Bar[]): string {
    const values = distinctNumbers(own.map((bar) => bar.bound));
    return bound === undefined || values.length === 0
      ? ""
      : ` ${bound.title}: ${values.map(short).join(", ")}.`;
  }
  const description = descriptions.join(" ");
  const marks: LegendMark[] = [
    ...(all.some((bar) => bar.low !== null) ? [{ kind: "whisker" as const, label: "95 % interval" }] : []),
    ...(bound !== undefined && all.some((bar) => bar.bound !== null)
      ? [{ kind: "bound" as const, label: bound.title }]
      : []),
  ];
  return figure({
    title: options.title,
    ...(options.subtitle === undefined ? {} : { subtitle: options.subtitle }),
    views: [draw(linesOf(all, groups, styles), options, styles, width, description)],
    columns: 1,
    width,
    // The names stand beside the bars: only the marks need a legend.
    legend: { heading: "", styles: [], marks },
    description,
  });
}

function barsOf({ rows, series, value, category, bound }: BarsOptions): Bar[] {
  const optional = [category?.column, bound?.column].filter((column) => column !== undefined);
  requireColumns(rows, [series.column, value.column, ...optional]);
  const all = rows.map((row) => ({
    category: category === undefined ? "" : nameOf(row[category.column]),
    series: nameOf(row[series.column]),
    x: null,
    ...estimateOf(row, value.column),
    bound: bound === undefined ? null : numberOf(row[bound.column]),
  }));
  requireUnique(
    all.map((bar) => [bar.category, bar.series].filter((name) => name !== "").join(", ")),
    [category?.column, series.column].filter((column) => column !== undefined).join(" and "),
  );
  return all;
}

/** The lines from top to bottom: each group under its heading, bars in style order. */
function linesOf(all: readonly Bar[], groups: readonly string[], styles: readonly Style[]): Line[] {
  return groups.flatMap((group) => [
    ...(groups.length > 1 ? [{ heading: group, bar: null }] : []),
    ...styles.flatMap(({ name }) =>
      all
        .filter((bar) => bar.category === group && bar.series === name)
        .map((bar) => ({ heading: null, bar })),
    ),
  ]);
}

/** A line as the data of the view has it. */
const rowOf = (
  { heading, bar }: Line,
  line: number,
  { series, value }: Pick<BarsOptions, "series" | "value">,
  pixelsPerUnit: number,
): View => ({
  line,
  heading,
  [series.column]: bar?.series ?? null,
  [value.column]: bar?.value ?? null,
  low: bar?.low ?? null,
  high: bar?.high ?? null,
  bound: bar?.bound ?? null,
  label: bar === null ? null : shortEstimate(bar),
  labelAt: bar === null ? null : labelPlace(bar, pixelsPerUnit),
});

/** The words of a heading. */
const HEADING = {
  type: "text",
  align: "left",
  baseline: "middle",
  fontWeight: "bold",
  fontSize: SIZE.axisTitle,
  x: 0,
  dy: 4,
};

/** The estimate's interval, with a tick at each end, and the bound. */
const intervalLayers = (x: View, y: View): View[] => [
  {
    transform: needs("low"),
    mark: { type: "rule", color: "#000000", strokeWidth: 1.5 },
    encoding: { x: { ...x, field: "low" }, x2: { field: "high" }, y },
  },
  ...["low", "high"].map((end) => ({
    transform: needs(end),
    mark: { type: "tick", color: "#000000", thickness: 1.5, size: 10 },
    encoding: { x: { ...x, field: end }, y },
  })),
  {
    transform: needs("bound"),
    mark: { type: "tick", color: "#000000", thickness: 2.5, size: LINE - 6 },
    encoding: { x: { ...x, field: "bound" }, y },
  },
];

const needs = (field: string): View[] => [{ filter: `isValid(datum.${field})` }];

function draw(
  lines: readonly Line[],
  { series, value }: BarsOptions,
  styles: readonly Style[],
  width: number,
  description: string,
): View {
  const present = lines.flatMap(({ bar }) => bar ?? []);
  const scale = measureScale(
    present.flatMap((bar) => bar.value ?? []),
    present.flatMap((bar) => [bar.low, bar.high, bar.bound].filter((end) => end !== null)),
    true,
  );
  const values = lines.map((line, i) =>
    rowOf(line, i, { series, value }, width / (scale.domain[1] - scale.domain[0])),
  );
  const isBar = { filter: "!isValid(datum.heading)" };
  const x = {
    type: "quantitative",
    title: value.title,
    scale: { domain: scale.domain, nice: false, zero: false, clamp: true },
    axis: { tickCount: 6, labelFlush: false },
  };
  const y = {
    field: "line",
    type: "ordinal",
    axis: null,
    scale: { domain: lines.map((_, line) => line), paddingInner: 0.3, paddingOuter: 0.15 },
  };
  const color = {
    field: series.column,
    type: "nominal",
    legend: null,
    scale: { domain: styles.map((style) => style.name), range: styles.map((style) => style.color) },
  };
  const name = { type: "text", align: "right", baseline: "middle", x: -8 };
  return {
    description,
    width,
    height: lines.length * LINE,
    data: { values },
    layer: [
      {
        transform: [isBar],
        mark: { type: "bar", opacity: 0.85 },
        encoding: { x: { ...x, field: fieldOf(value.column) }, y, color },
      },
      ...intervalLayers(x, y),
      { transform: [isBar], mark: name, encoding: { y, text: { field: series.column, type: "nominal" } } },
      {
        transform: [isBar],
        mark: { type: "text", align: "left", baseline: "middle", dx: 8 },
        encoding: { x: { ...x, field: "labelAt" }, y, text: { field: "label", type: "nominal" } },
      },
      {
        transform: needs("heading"),
        mark: HEADING,
        encoding: { y, text: { field: "heading", type: "nominal" } },
      },
    ],
  };
}

/** Where the value's label starts: right after the bar, but behind the bound where it would cover it. */
function labelPlace(bar: Bar, pixelsPerUnit: number): number {
  const end = Math.max(0, bar.value ?? 0, bar.high ?? 0);
  if (bar.bound === null || bar.bound < 0) return end;
  const free = (bar.bound - end) * pixelsPerUnit;
  return free > textWidth(shortEstimate(bar), SIZE.label) + 16 ? end : Math.max(end, bar.bound);
}
