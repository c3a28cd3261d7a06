/**
 * The table model of a kernel profile: its measured cells as the `gpu-table` model takes them, and how far
 * interpolation is from cells that it was not given.
 */
import type { Spec } from "../../core/options/definition.js";
import { ConfigError } from "../../core/errors.js";
import type { AttentionRow, Curve, Kernels } from "./kernels.js";

/** Five digits are more than three repetitions of a measurement give. */
const rounded = (value: number): number => Number(value.toPrecision(5));
const ascending = (values: Iterable<number>): number[] => [...new Set(values)].sort((x, y) => x - y);

type Column = "chunk" | "cached" | "decodes" | "kv";

/** A complete grid of measured cells: its axes, and the times with the last axis fastest. */
interface Grid {
  readonly axes: readonly (readonly number[])[];
  readonly ms: readonly number[];
}

/** How many of its cells each value of a column has, as a share. */
function sharesOf(rows: readonly AttentionRow[], column: Column, cells: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(row[column], (counts.get(row[column]) ?? 0) + 1);
  return new Map([...counts].map(([value, count]) => [value, (count * counts.size) / cells]));
}

const axesOf = (rows: readonly AttentionRow[], columns: readonly Column[]): number[][] =>
  columns.map((column) => ascending(rows.map((row) => row[column])));
const cellsOf = (axes: readonly (readonly number[])[]): number =>
  axes.reduce((count, axis) => count * axis.length, 1);

/** A value with fewer of its cells than this is a stray measurement, not the end of an axis. */
const LEAST_OF_AN_END = 0.15;

/**
 * Rows whose every value was measured together with both ends of every other axis: of grids of different spacing laid
 * over each other, which profiles are, the one that reaches furthest.
 */
function reachingFar(rows: readonly AttentionRow[], columns: readonly Column[]): readonly AttentionRow[] {
  const axes = axesOf(rows, columns);
  const cells = cellsOf(axes);
  let kept = rows;
  columns.forEach((column, i) => {
    const shares = sharesOf(rows, column, cells);
    const sound = axes[i].filter((value) => shares.get(value)! >= LEAST_OF_AN_END);
    if (sound.length === 0) return;
    for (const end of [sound[0], sound[sound.length - 1]]) {
      const beside = rows.filter((row) => row[column] === end);
      for (const other of columns) {
        if (other === column) continue;
        const values = new Set(beside.map((row) => row[other]));
        kept = kept.filter((row) => values.has(row[other]));
      }
    }
  });
  return axesOf(kept, columns).every((axis) => axis.length >= 2) ? kept : rows;
}

/**
 * A large grid whose every cell is among the rows, found greedily: while a cell is missing, the value that misses the
 * largest share of its own goes.
 */
export function completeGrid(rows: readonly AttentionRow[], columns: readonly Column[]): Grid {
  let kept = reachingFar(rows, columns);
  for (;;) {
    const axes = axesOf(kept, columns);
    const cells = cellsOf(axes);
    if (cells === kept.length) return { axes, ms: inOrder(kept, columns, axes) };
    let least = Infinity;
    let worst: readonly [Column, number] = [columns[0], 0];
    for (const column of columns)
      for (const [value, share] of sharesOf(kept, column, cells))
        if (share < least) [least, worst] = [share, [column, value]];
    const [column, value] = worst;
    kept = kept.filter((row) => row[column] !== value);
  }
}

/** The times of a complete grid, the last axis fastest. */
function inOrder(
  rows: readonly AttentionRow[],
  columns: readonly Column[],
  axes: readonly (readonly number[])[],
): number[] {
  const times = new Map(rows.map((row) => [columns.map((column) => row[column]).join(" "), row.ms]));
  const ms: number[] = [];
  const walk = (place: readonly number[]): void => {
    if (place.length === columns.length) ms.push(rounded(times.get(place.join(" "))!));
    else for (const value of axes[place.length]) walk([...place, value]);
  };
  walk([]);
  return ms;
}

/** Each cell once, the last measurement of it. */
const once = (rows: readonly AttentionRow[]): AttentionRow[] => [
  ...new Map(
    rows.map((row) => [`${row.chunk} ${row.cached} ${row.decodes} ${row.kv}`, row] as const),
  ).values(),
];

/** A curve without the points that the straight line through its kept neighbours gives within `share`. */
export function thinned({ at, ms }: Curve, share: number): Curve {
  const kept = [0];
  for (let from = 0; from < at.length - 1;) {
    let to = from + 1;
    for (let far = from + 2; far < at.length; far++) {
      const isNear = (i: number): boolean => {
        const line = ms[from] + ((ms[far] - ms[from]) * (at[i] - at[from])) / (at[far] - at[from]);
        return Math.abs(line - ms[i]) <= share * ms[i];
      };
      let i = from + 1;
      while (i < far && isNear(i)) i++;
      if (i < far) break;
      to = far;
    }
    kept.push(to);
    from = to;
  }
  return { at: kept.map((i) => at[i]), ms: kept.map((i) => rounded(ms[i])) };
}

/** The dense and head curves keep their shape within this share: they have a point every few tokens. */
const CURVE_ERROR = 0.005;

/** The profile as a `gpu-table` model. */
export function tableOf({ dense, head, attention }: Kernels): Spec {
  const rows = once(attention);
  // Contexts must be those of the mixed grid: both tables share the axis.
  const mixed = completeGrid(
    rows.filter(({ chunk, decodes }) => chunk > 0 && decodes > 0),
    ["chunk", "cached", "decodes", "kv"],
  );
  const [chunks = [], cached = [], mixedDecodes = [], contexts = []] = mixed.axes;
  const alone = completeGrid(
    rows.filter(({ chunk, kv }) => chunk === 0 && contexts.includes(kv)),
    ["decodes", "kv"],
  );
  const prefill = completeGrid(
    rows.filter((row) => row.decodes === 0 && chunks.includes(row.chunk) && cached.includes(row.cached)),
    ["chunk", "cached"],
  );
  const [decodes = []] = alone.axes;
  const isWhole =
    prefill.ms.length === chunks.length * cached.length &&
    alone.ms.length === decodes.length * contexts.length;
  const shortest = [decodes, chunks, cached, mixedDecodes, contexts].reduce(
    (least, axis) => Math.min(least, axis.length),
    Infinity,
  );
  if (!isWhole || shortest < 2)
    throw new ConfigError([
      {
        key: "attention.csv",
        message:
          "too few rows for a table: no complete grid of prefill_chunk, kv_prefill, n_decode and kv_decode (at least 2 of each, with and without decodes and chunk)",
      },
    ]);
  const heads = thinned(head, CURVE_ERROR);
  const denses = thinned(dense, CURVE_ERROR);
  return {
    kind: "gpu-table",
    tokens: denses.at,
    denseMs: denses.ms,
    sequences: heads.at,
    headMs: heads.ms,
    decodes,
    decodeKv: contexts,
    decodeMs: alone.ms,
    chunks,
    chunkKv: cached,
    prefillMs: prefill.ms,
    mixedDecodes,
    mixedMs: mixed.ms,
    // The smallest call measured: what a call costs before it does any work.
    launchMs: alone.ms.reduce((least, ms) => Math.min(least, ms), Infinity),
  };
}

/** The profile without every second value of each axis of the grid, ends kept: what the table does not see. */
export function coarser(kernels: Kernels): Kernels {
  const { chunks, chunkKv, decodes, decodeKv } = tableOf(kernels) as unknown as Record<string, number[]>;
  const half = (axis: readonly number[]): Set<number> =>
    new Set(axis.filter((_, i) => i % 2 === 0 || i === axis.length - 1));
  const [chunk, cached, count, kv] = [chunks, chunkKv, decodes, decodeKv].map(half);
  return {
    ...kernels,
    attention: kernels.attention.filter(
      (row) =>
        (row.chunk === 0 || (chunk.has(row.chunk) && cached.has(row.cached))) &&
        (row.decodes === 0 || (count.has(row.decodes) && kv.has(row.kv))),
    ),
  };
}
