/** The schedulers against each other over the arrival rate, with their boundaries as upright lines. */
import { dashboard, STANDARD_PANELS } from "../../charts/index.js";
import type { Row } from "../interface/report.js";

/**
 * @param series rows of the time-series CSV; the last window of each rate is drawn
 * @param summary rows of the capacity summary
 */
export function schedulerComparison(
  scenario: string,
  series: readonly Row[],
  summary: readonly Row[],
  subtitle: string,
): object {
  const last = series.reduce((most, row) => Math.max(most, Number(row.t_max_s)), 0);
  return dashboard({
    rows: series.filter((row) => row.t_max_s === last),
    x: { column: "lambda_qps", title: "arrival rate λ (requests/s)" },
    series: { column: "scheduler", title: "scheduler" },
    panels: STANDARD_PANELS,
    verticalRules: summary
      .filter((row) => typeof row.lambda_star_qps === "number")
      .map((row) => ({
        value: row.lambda_star_qps as number,
        label: "λ*",
        series: String(row.scheduler),
      })),
    title: `${scenario}: schedulers against the arrival rate`,
    subtitle: `from empty, T = ${last} s; ${subtitle}`,
  });
}
