/**
 * A measure over two settings: a tile for each pair of values with the mean and the half-width of its interval in
 * it, a panel per series. The tint only repeats the number; it goes by rank, so that one overloaded corner does not
 * wash out all others.
 */
import type { TopLevelSpec } from "vega-lite";
import type { View } from "./view.js";
import { figure, type Heading } from "./figure.js";
import {
  distinctNames,
  distinctNumbers,
  estimateOf,
  nameOf,
  requireColumns,
  requireUnique,
  type Estimate,
  type Row,
} from "./rows.js";
import { short } from "./text.js";
import { SIZE } from "./theme.js";

interface Axis {
  readonly column: string;
  readonly title: string;
}

export interface HeatMapOptions extends Heading {
  readonly rows: readonly Row[];
  /** A panel for each of its values. */
  readonly panel: { readonly column: string };
  /** Cells are names; they keep the order of the rows. */
  readonly x: Axis;
  readonly y: Axis;
  readonly value: Axis;
  /** Which end is tinted most: the worse one. */
  readonly dark: "low" | "high";
}

interface Tile extends Estimate {
  readonly panel: string;
  readonly x: string;
  readonly y: string;
}

const TILE = { width: 74, height: 40 };
/** More tiles in a row than this have no room for numbers of their own width. */
const LEAST_WIDTH = 420;
const TINT = "#D55E00";
const MOST_TINT = 0.75;

export function heatMap(options: HeatMapOptions): TopLevelSpec {
  const { rows, panel, x, y, value } = options;
  requireColumns(rows, [panel.column, x.column, y.column, value.column]);
  const all = rows.map((row): Tile => ({
    panel: nameOf(row[panel.column]),
    x: nameOf(row[x.column]),
    y: nameOf(row[y.column]),
    ...estimateOf(row, value.column),
  }));
  requireUnique(
    all.map((tile) => [tile.panel, tile.x, tile.y].join(", ")),
    [panel, x, y].map(({ column }) => column).join(" and "),
  );
  const panels = distinctNames(rows, panel.column);
  const [xs, ys] = [distinctNames(rows, x.column), distinctNames(rows, y.column)];
  const ranks = distinctNumbers(all.map((tile) => tile.value));
  const width = Math.max(LEAST_WIDTH, xs.length * TILE.width);
  const drawn = panels.map((name) => {
    const own = all.filter((tile) => tile.panel === name);
    return { name, own, description: describe(name, own, options) };
  });
  return figure({
    title: options.title,
    ...(options.subtitle === undefined ? {} : { subtitle: options.subtitle }),
    views: drawn.map(({ name, own, description }) =>
      draw(name, own, { xs, ys, ranks, width }, options, description),
    ),
    columns: 1,
    width,
    legend: { heading: "", styles: [], marks: [] },
    description: drawn.map(({ description }) => description).join(" "),
  });
}

/** `hybrid: P95 response time (s) from 3.9 at λ 1, maxTokens 512 to 8.1 at λ 6, maxTokens 128.` */
function describe(name: string, own: readonly Tile[], { x, y, value }: HeatMapOptions): string {
  const valued = own.filter((tile) => tile.value !== null).sort((a, b) => a.value! - b.value!);
  if (valued.length === 0) return `${name}: no values.`;
  const at = (tile: Tile): string => `${short(tile.value!)} at ${x.title} ${tile.x}, ${y.title} ${tile.y}`;
  return `${name === "" ? "" : `${name}: `}${value.title} from ${at(valued[0])} to ${at(valued[valued.length - 1])}.`;
}

interface Frame {
  readonly xs: readonly string[];
  readonly ys: readonly string[];
  readonly ranks: readonly number[];
  readonly width: number;
}

function draw(
  name: string,
  own: readonly Tile[],
  { xs, ys, ranks, width }: Frame,
  { x, y, value, dark }: HeatMapOptions,
  description: string,
): View {
  const last = Math.max(1, ranks.length - 1);
  const values = own.map((tile) => {
    const rank = tile.value === null ? 0 : ranks.indexOf(tile.value) / last;
    const half = tile.low === null || tile.high === null ? null : (tile.high - tile.low) / 2;
    return {
      x: tile.x,
      y: tile.y,
      value: tile.value,
      tint: tile.value === null ? 0 : MOST_TINT * (dark === "high" ? rank : 1 - rank),
      mean: tile.value === null ? "–" : short(tile.value),
      half: half === null ? "" : `± ${Number(half.toPrecision(2))}`,
    };
  });
  const place = (axis: Axis, field: string, domain: readonly string[], more: View): View => ({
    field,
    type: "ordinal",
    title: axis.title,
    scale: { domain, paddingInner: 0.05 },
    axis: { labelAngle: 0, ...more },
  });
  // The first value stands at the foot, as on an axis of numbers.
  const across = place(x, "x", xs, {});
  const up = place(y, "y", [...ys].reverse(), { titleY: -8 });
  const text = (field: string, dy: number, size: number): View => ({
    mark: { type: "text", align: "center", baseline: "middle", dy, fontSize: size },
    encoding: { x: across, y: up, text: { field, type: "nominal" } },
  });
  return {
    description,
    title: {
      text: name === "" ? value.title : `${name}: ${value.title}`,
      fontSize: SIZE.axisTitle,
      offset: 26,
    },
    width,
    height: ys.length * TILE.height,
    data: { values },
    layer: [
      {
        mark: { type: "rect", color: TINT, stroke: "#8C8C8C", strokeWidth: 0.5 },
        encoding: {
          x: across,
          y: up,
          fillOpacity: {
            field: "tint",
            type: "quantitative",
            legend: null,
            scale: { domain: [0, 1], range: [0, 1] },
          },
        },
      },
      text("mean", -7, SIZE.label),
      text("half", 9, SIZE.label - 2),
    ],
  };
}
