/**
 * From rows to the points of one panel: in drawing order, with the rules that rows without an x stand for,
 * and with the choice of which points carry a marker.
 */
import type { Panel } from "./axes.js";
import {
  distinctNames,
  estimateOf,
  nameOf,
  numberOf,
  requireColumns,
  requireUnique,
  type Point,
} from "./rows.js";
import type { Rule } from "./rules.js";
import type { Style } from "./theme.js";

/** Beyond so many x values only some points carry a marker. */
const FEW = 16;

/** Every series of some panels, in order of appearance. */
export function seriesNames(panels: readonly Panel[]): string[] {
  return [...new Set(panels.flatMap(({ rows, series }) => distinctNames(rows, series.column)))];
}

/** The points of a panel: series in style order, so that the first is drawn undermost, then by x. */
export function pointsOf({ rows, x, y, series }: Panel, styles: readonly Style[]): Point[] {
  requireColumns(rows, [x.column, y.column, series.column]);
  const points = rows.map((row) => ({
    series: nameOf(row[series.column]),
    x: numberOf(row[x.column]),
    ...estimateOf(row, y.column),
  }));
  requireUnique(
    points
      .filter((point) => point.x !== null || x.none !== undefined)
      .map((point) => `${point.series} at ${x.column} ${point.x ?? "(empty)"}`),
    `${series.column} and ${x.column}`,
  );
  const rank = new Map(styles.map((style, index) => [style.name, index]));
  return points.sort((a, b) => rank.get(a.series)! - rank.get(b.series)! || (a.x ?? 0) - (b.x ?? 0));
}

/** Rules from the rows without an x. */
export function unplaced(points: readonly Point[], { x }: Panel): Rule[] {
  if (x.none === undefined) return [];
  const label = x.none;
  return points.flatMap((point) =>
    point.x !== null || point.value === null ? [] : [{ ...point, value: point.value, label }],
  );
}

/**
 * Which points get a marker: all when few; else every so many, each series at other places; and every
 * point without a neighbour, which no line or band can show.
 */
export function withMarks(
  points: readonly Point[],
  xs: readonly number[],
  styles: readonly Style[],
): { point: Point; marker: boolean; alone: boolean }[] {
  const step = Math.ceil(xs.length / 8);
  const place = new Map(xs.map((x, index) => [x, index]));
  const order = new Map(styles.map((style, index) => [style.name, index]));
  const drawn = (point: Point | undefined, series: string): boolean =>
    point?.series === series && point.value !== null;
  return points.map((point, index) => {
    const alone =
      point.value !== null &&
      !drawn(points[index - 1], point.series) &&
      !drawn(points[index + 1], point.series);
    const offset = Math.floor(((order.get(point.series)! + 0.5) * step) / styles.length);
    const turn = xs.length <= FEW || place.get(point.x!)! % step === offset;
    return { point, marker: point.value !== null && (alone || turn), alone };
  });
}
