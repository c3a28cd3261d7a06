/** The decode ratio of mixed batches: over time, a line a ratio, and in the final window against the ratio. */
import { dashboard, STANDARD_PANELS } from "../../charts/index.js";
import type { Row } from "../interface/report.js";

const BINDING = ["decode_limit_binding", "prefill_limit_binding"] as const;

const BINDING_PANELS = [
  { y: { column: BINDING[0], title: "share of iterations the decode limit decided", zero: true } },
  { y: { column: BINDING[1], title: "share of iterations the prefill limit decided", zero: true } },
];

/** Whether the ratio's limits decided anything in these rows. */
const isInert = (rows: readonly Row[]): boolean =>
  rows.every((row) => BINDING.every((column) => Number(row[column] ?? 0) === 0));

/** Said on the figure where it is so: equal lines are then no finding about ratios. */
const inertNote = (rows: readonly Row[]): string[] =>
  isInert(rows) ? ["the ratio never bound: number decoding and prompts stayed below their shares"] : [];

/** Rows of the time series: the four standard metrics against T. */
export const hybridDashboard = (scenario: string, rows: readonly Row[], subtitle: string): object =>
  dashboard({
    rows,
    x: { column: "t_max_s", title: "time window T (s)", zero: true },
    series: { column: "ratio", title: "decode ratio" },
    panels: STANDARD_PANELS,
    title: `${scenario}: decode ratio against the time window`,
    subtitle: [subtitle, ...inertNote(rows)],
  });

/** Rows of the final window: what a ratio trades, P99 ITL against TTFT, and how often its limits decided. */
export const hybridAgainstRatio = (scenario: string, rows: readonly Row[], subtitle: string): object =>
  dashboard({
    rows,
    x: { column: "ratio", title: "decode ratio" },
    series: { column: "scheduler", title: "scheduler" },
    panels: [
      { y: { column: "ttft_mean_s", title: "mean TTFT (s)" } },
      { y: { column: "itl_p99_s", title: "P99 ITL (s)" } },
      { y: { column: "rts_p95_s", title: "P95 response time (s)" } },
      { y: { column: "throughput_qps", title: "throughput (requests/s)" } },
      // Two flat lines at 0 would say no more than the subtitle does.
      ...(isInert(rows) ? [] : BINDING_PANELS),
    ],
    title: `${scenario}: metrics against the decode ratio`,
    subtitle: [subtitle, ...inertNote(rows)],
  });
