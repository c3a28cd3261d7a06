/** A plan as a figure: how much of the SLO is used against the load, and against the number of replicas (its cost). */
import { dashboard, type DashboardPanel } from "../../charts/index.js";
import type { Condition } from "../../core/measures/condition.js";
import type { Figure, Row } from "../interface/report.js";
import { axisTitle } from "../cells/metric-words.js";

/** A point's row with the line it belongs to. */
export interface Plotted {
  readonly series: string;
  readonly row: Row;
}

/** Beyond this many times its limit a target is off the panel: what matters is where it passes 1. */
const OFF = 20;

/** Of a single target its own metric with its limit; of several the greatest share of a limit. */
function measure(targets: readonly Condition[]): DashboardPanel["y"] {
  if (targets.length !== 1)
    return {
      column: "slo_use",
      title: "SLO used, as a share of its limit",
      rules: [{ value: 1, label: "limit" }],
    };
  const [{ metric, limit }] = targets;
  return { column: metric, title: axisTitle(metric), rules: [{ value: limit, label: "limit" }] };
}

const isShown = ({ row }: Plotted): boolean => typeof row.slo_use === "number" && row.slo_use <= OFF;

export const PLAN_FIGURE = "plan.png";

/** @param load what the replicas serve, in words */
export function planFigure(
  targets: readonly Condition[],
  byLoad: readonly Plotted[],
  byReplicas: readonly Plotted[],
  load: string,
  title: string,
  subtitle: string,
): Figure[] {
  const y = measure(targets);
  const rows = (plotted: readonly Plotted[]): Row[] =>
    plotted.filter(isShown).map(({ series, row }) => ({ ...row, series }));
  const panels: DashboardPanel[] = [
    {
      rows: rows(byLoad),
      x: { column: "lambda_qps", title: "arrival rate λ (requests/s)", zero: true },
      y,
    },
    {
      rows: rows(byReplicas),
      x: { column: "replicas", title: "replicas (cost)" },
      y: { ...y, title: `${y.title}, at ${load}` },
    },
  ].filter((panel) => panel.rows.length > 0);
  if (panels.length === 0) return [];
  const spec = dashboard({
    rows: panels[0].rows!,
    x: panels[0].x!,
    series: { column: "series", title: "scheduler" },
    panels,
    title,
    subtitle,
  });
  return [{ path: PLAN_FIGURE, spec }];
}
