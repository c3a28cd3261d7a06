/**
 * A word per place: tiles in a lane per series, ordered by x, each with its word, its x and a note. For what
 * has no size (which metric grows first): a line through words would show values between them that do not
 * exist. The word stands in the tile; its tint only repeats it.
 */
import type { TopLevelSpec } from "vega-lite";
import type { SeriesBy } from "./axes.js";
import type { View } from "./view.js";
import { figure, type Heading } from "./figure.js";
import { distinctNames, nameOf, numberOf, requireColumns, requireUnique, type Row } from "./rows.js";
import { short } from "./text.js";
import { SIZE, stylesOf } from "./theme.js";

export interface TilesOptions extends Heading {
  readonly rows: readonly Row[];
  readonly series: SeriesBy;
  /** What orders the tiles; printed in each with its symbol. */
  readonly x: { readonly column: string; readonly symbol: string };
  /** The word of a tile, and the words there are: the first means nothing is the matter and stays grey. */
  readonly word: { readonly column: string; readonly words: readonly [string, ...string[]] };
  /** A column with a few letters for a third line. */
  readonly note?: { readonly column: string };
}

interface Tile {
  readonly series: string;
  readonly x: number;
  readonly word: string;
  readonly note: string;
}

const PER_LINE = 10;
const WIDTH = 760;
const TILE = { width: WIDTH / PER_LINE, height: 58, gap: 4 };
const HEADING = 26;
const BETWEEN = 12;
const GREY = "#E4E4E4";
const WHITE = "#FFFFFF";

/** Rows without an x are left out; rows without a word say so. */
export function tiles(options: TilesOptions): TopLevelSpec {
  const { rows, series, x, word, note } = options;
  requireColumns(rows, [series.column, x.column, word.column, ...(note ? [note.column] : [])]);
  const all = rows.flatMap((row): Tile[] => {
    const at = numberOf(row[x.column]);
    if (at === null) return [];
    return [
      {
        series: nameOf(row[series.column]),
        x: at,
        word: nameOf(row[word.column]) || "no value",
        note: note ? nameOf(row[note.column]) : "",
      },
    ];
  });
  requireUnique(
    all.map((tile) => `${tile.series} at ${x.column} ${tile.x}`),
    `${series.column} and ${x.column}`,
  );
  const lanes = stylesOf(distinctNames(rows, series.column)).map(({ name }) => ({
    name,
    tiles: all.filter((tile) => tile.series === name).sort((a, b) => a.x - b.x),
  }));
  const description = lanes.map((lane) => describe(lane.name, lane.tiles, x.symbol)).join(" ");
  return figure({
    title: options.title,
    ...(options.subtitle === undefined ? {} : { subtitle: options.subtitle }),
    views: [draw(lanes, options, description)],
    columns: 1,
    width: WIDTH,
    legend: { heading: "", styles: [], marks: [] },
    description,
  });
}

/** `hybrid: RTS at λ 5.199 to 10.92, TTFT at λ 11.44 to 12.48.` */
function describe(name: string, ordered: readonly Tile[], symbol: string): string {
  const runs: Tile[][] = [];
  for (const tile of ordered) {
    const run = runs[runs.length - 1];
    if (run?.[0].word === tile.word) run.push(tile);
    else runs.push([tile]);
  }
  const words = runs.map((run) => {
    const to = run.length === 1 ? "" : ` to ${short(run[run.length - 1].x)}`;
    return `${run[0].word} at ${symbol} ${short(run[0].x)}${to}`;
  });
  return `${name}: ${words.join(", ") || "no values"}.`;
}

/** Where each tile stands, in lines under the heading of its lane. */
function place(
  lanes: readonly { readonly name: string; readonly tiles: readonly Tile[] }[],
  { series, x, word }: Pick<TilesOptions, "series" | "x" | "word">,
): { readonly placed: readonly View[]; readonly headings: readonly View[]; readonly height: number } {
  let top = 0;
  const headings: View[] = [];
  const placed = lanes.flatMap((lane) => {
    headings.push({ [series.column]: lane.name, top: top + HEADING / 2 });
    const from = top + HEADING;
    top = from + Math.max(1, Math.ceil(lane.tiles.length / PER_LINE)) * TILE.height + BETWEEN;
    return lane.tiles.map((tile, index) => {
      const left = (index % PER_LINE) * TILE.width;
      const above = from + Math.floor(index / PER_LINE) * TILE.height;
      return {
        [series.column]: tile.series,
        [x.column]: tile.x,
        [word.column]: tile.word,
        at: `${x.symbol} ${short(tile.x)}`,
        note: tile.note,
        left,
        right: left + TILE.width - TILE.gap,
        center: left + (TILE.width - TILE.gap) / 2,
        top: above,
        bottom: above + TILE.height - TILE.gap,
        middle: above + (TILE.height - TILE.gap) / 2,
      };
    });
  });
  return { placed, headings, height: top - BETWEEN };
}

function draw(
  lanes: readonly { readonly name: string; readonly tiles: readonly Tile[] }[],
  { series, x, word }: TilesOptions,
  description: string,
): View {
  const { placed, headings, height } = place(lanes, { series, x, word });
  const channel = (field: string, domain: readonly number[]): View => ({
    field,
    type: "quantitative",
    scale: { domain, nice: false, zero: false },
    axis: null,
  });
  const across = (field: string): View => channel(field, [0, WIDTH]);
  const down = (field: string): View => channel(field, [height, 0]);
  const [calm, ...others] = word.words;
  const tints = stylesOf(others).map((style) => style.color);
  const fill = {
    field: word.column,
    type: "nominal",
    legend: null,
    scale: { domain: [calm, ...others, "no value"], range: [GREY, ...tints, WHITE] },
  };
  const text = (field: string, dy: number, more: View): View => ({
    mark: { type: "text", align: "center", baseline: "middle", dy, ...more },
    encoding: { x: across("center"), y: down("middle"), text: { field, type: "nominal" } },
  });
  return {
    description,
    width: WIDTH,
    height,
    data: { values: placed },
    layer: [
      {
        mark: { type: "rect", fillOpacity: 0.4, stroke: "#8C8C8C", strokeWidth: 1 },
        encoding: {
          x: across("left"),
          x2: { field: "right" },
          y: down("top"),
          y2: { field: "bottom" },
          fill,
        },
      },
      text(word.column, -17, { fontWeight: "bold" }),
      text("at", 0, {}),
      text("note", 17, { fontSize: SIZE.label - 1 }),
      {
        data: { values: headings },
        mark: { type: "text", align: "left", baseline: "middle", fontWeight: "bold", x: 0 },
        encoding: { y: down("top"), text: { field: series.column, type: "nominal" } },
      },
    ],
  };
}
