/**
 * Several metrics of one table side by side: a grid of line panels under one title and one legend.
 * `timeSeriesDashboard` is the one of `sweep-time`: TTFT, TBT, P95 response time and throughput against T.
 */
import type { TopLevelSpec } from "vega-lite";
import { figure, type Heading } from "./figure.js";
import type { Measure, Panel, Position, SeriesBy } from "./axes.js";
import { linePanel } from "./line-panel.js";
import { seriesNames } from "./points.js";
import type { Row } from "./rows.js";
import type { Rule } from "./rules.js";
import { stylesOf } from "./theme.js";

/** One panel; what it leaves out it takes from the dashboard. */
export interface DashboardPanel {
  readonly y: Measure;
  readonly x?: Position;
  readonly rows?: readonly Row[];
  readonly verticalRules?: readonly Rule[];
}

export interface DashboardOptions extends Heading {
  readonly rows: readonly Row[];
  readonly x: Position;
  readonly series: SeriesBy;
  readonly panels: readonly DashboardPanel[];
  readonly verticalRules?: readonly Rule[];
  /** Panels in a row. Default 2. */
  readonly columns?: number;
}

const PANEL = { width: 400, height: 220 };

/** A grid of panels, filled row by row. */
export function dashboard(options: DashboardOptions): TopLevelSpec {
  const columns = Math.max(1, Math.min(options.columns ?? 2, options.panels.length));
  const { rows, x, series } = options;
  const common = {
    rows,
    x,
    series,
    ...(options.verticalRules ? { verticalRules: options.verticalRules } : {}),
  };
  const panels: Panel[] = options.panels.map((panel) => ({ ...common, ...panel }));
  const styles = stylesOf(seriesNames(panels));
  const drawn = panels.map((panel, index) => {
    // One x title per column is enough, below its last panel, unless the panel under it has another x.
    const below = panels[index + columns];
    return linePanel(panel, styles, { ...PANEL, xTitle: below?.x !== panel.x });
  });
  const marks = drawn.flatMap((panel) => panel.marks);
  return figure({
    title: options.title,
    ...(options.subtitle === undefined ? {} : { subtitle: options.subtitle }),
    views: drawn.map((panel) => panel.view),
    columns,
    width: columns * PANEL.width + (columns - 1) * 70,
    legend: {
      heading: series.title,
      styles,
      marks: marks.filter((mark, index) => marks.findIndex((other) => other.kind === mark.kind) === index),
    },
    description: drawn.map((panel) => panel.description).join(" "),
  });
}

/** The metrics of the standard dashboards. */
export const STANDARD_PANELS: readonly DashboardPanel[] = [
  { y: { column: "ttft_mean_s", title: "mean TTFT (s)" } },
  { y: { column: "tbt_mean_s", title: "mean TBT (s)" } },
  { y: { column: "rts_p95_s", title: "P95 response time (s)" } },
  { y: { column: "throughput_qps", title: "throughput (requests/s)" } },
];

/** The four standard metrics against the time window, a line per scheduler. */
export function timeSeriesDashboard(options: Heading & { readonly rows: readonly Row[] }): TopLevelSpec {
  return dashboard({
    ...options,
    x: { column: "t_max_s", title: "time window T (s)", zero: true },
    series: { column: "scheduler", title: "scheduler" },
    panels: STANDARD_PANELS,
  });
}
