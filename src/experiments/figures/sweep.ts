/**
 * A sweep as a figure. One key of numbers: a line per scheduler with its band, a panel a metric. A second key: a line
 * for each of its values, a panel per scheduler; where those are too many to tell apart, or two keys of words, tiles
 * of a heat map. One key of words: bars.
 */
import { bars, dashboard, heatMap, type DashboardPanel } from "../../charts/index.js";
import type { Figure, Row } from "../interface/report.js";
import { axisTitle, lowerIsBetter } from "../cells/metric-words.js";

type Settings = Readonly<Record<string, string | number | null>>;

export interface SweepFigure {
  readonly path: string;
  readonly rows: readonly Row[];
  readonly keys: readonly string[];
  /** Of each row: its series, and the values of the keys. */
  readonly series: readonly string[];
  readonly settings: readonly Settings[];
  /** What the answer is about. */
  readonly metric: string;
  readonly hasSlo: boolean;
  readonly title: string;
  readonly subtitle: string;
}

const PANELS = ["ttft_mean_s", "tbt_mean_s", "rts_p95_s", "itl_p99_s", "throughput_qps"];
/** More lines than this cannot be told apart. */
const MOST_LINES = 8;
const LEAST_SPAN = 8;

export function sweepFigures(figure: SweepFigure): Figure[] {
  const { path, keys, rows } = figure;
  if (keys.length === 0 || rows.length === 0) return [];
  return [{ path, spec: keys.length === 1 ? oneKey(figure) : twoKeys(figure) }];
}

/** Whether a key's values can stand on an axis of numbers: none may be among them. */
const isNumeric = (settings: readonly Settings[], key: string): boolean =>
  settings.some((one) => typeof one[key] === "number") &&
  settings.every((one) => typeof one[key] === "number" || one[key] === null);

const valuesOf = (settings: readonly Settings[], key: string): (string | number | null)[] => [
  ...new Set(settings.map((one) => one[key])),
];

/** Sizes that double are read on a scale that doubles. */
function position(settings: readonly Settings[], key: string) {
  const numbers = valuesOf(settings, key).filter((value): value is number => typeof value === "number");
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const doubles = numbers.length > 3 && low > 0 && high / low >= LEAST_SPAN;
  const title = key === "λ" ? "arrival rate λ (requests/s)" : key === "T" ? "time window T (s)" : key;
  return { column: "x", title, none: "none", ...(doubles && { scale: "log2" as const }) };
}

const SCHEDULER = { column: "series", title: "scheduler" };

function oneKey({
  rows,
  keys: [key],
  series,
  settings,
  metric,
  hasSlo,
  title,
  subtitle,
}: SweepFigure): object {
  const own = rows.map((row, i) => ({ ...row, x: settings[i][key], series: series[i] || "all" }));
  if (!isNumeric(settings, key))
    return bars({
      rows: own.map((row, i) => ({
        ...row,
        series: key === "scheduler" ? String(rows[i].scheduler) : String(settings[i][key] ?? "none"),
        category: series[i],
      })),
      series: { column: "series", title: key },
      value: { column: metric, title: axisTitle(metric) },
      category: { column: "category" },
      title,
      subtitle,
    });
  const shown = [...new Set([metric, ...PANELS, ...(hasSlo ? ["slo_attainment", "goodput_qps"] : [])])];
  return dashboard({
    rows: own,
    x: position(settings, key),
    series: SCHEDULER,
    panels: shown.slice(0, 6).map((column): DashboardPanel => ({ y: { column, title: axisTitle(column) } })),
    title,
    subtitle,
  });
}

function twoKeys(figure: SweepFigure): object {
  const { rows, keys, series, settings, metric, title, subtitle } = figure;
  // The key with more numbers runs along the axis.
  const count = (key: string): number => (isNumeric(settings, key) ? valuesOf(settings, key).length : 0);
  const [across, lines] = count(keys[0]) >= count(keys[1]) ? keys : [keys[1], keys[0]];
  const schedulers = [...new Set(series)];
  if (count(across) === 0 || valuesOf(settings, lines).length > MOST_LINES)
    return heatMap({
      rows: rows.map((row, i) => ({
        ...row,
        x: String(settings[i][across] ?? "none"),
        y: String(settings[i][lines] ?? "none"),
        series: series[i],
      })),
      panel: { column: "series" },
      x: { column: "x", title: across },
      y: { column: "y", title: lines },
      value: { column: metric, title: axisTitle(metric) },
      dark: lowerIsBetter(metric) ? "high" : "low",
      title,
      subtitle,
    });
  const own = rows.map((row, i) => ({
    ...row,
    x: settings[i][across],
    series: String(settings[i][lines] ?? "none"),
    scheduler: series[i],
  }));
  const of = (scheduler: string): Row[] => own.filter((row) => row.scheduler === scheduler);
  const metrics = schedulers.length > 1 ? [metric] : [...new Set([metric, ...PANELS])].slice(0, 4);
  return dashboard({
    rows: own,
    x: position(settings, across),
    series: { column: "series", title: lines },
    panels: schedulers.flatMap((scheduler) =>
      metrics.map((column): DashboardPanel => ({
        rows: of(scheduler),
        y: {
          column,
          title: schedulers.length > 1 ? `${scheduler}: ${axisTitle(column)}` : axisTitle(column),
        },
      })),
    ),
    title,
    subtitle,
  });
}
