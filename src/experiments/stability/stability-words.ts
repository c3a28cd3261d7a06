/** What `stability` came to, in words: the table of the boundaries, the sentence that answers, a note on the cap. */
import type { Row, Table } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { plain } from "../cells/quantity.js";

export function tableOf(rows: readonly Row[]): Table {
  const shown = (value: unknown): string => (typeof value === "number" ? plain(value) : "–");
  return {
    title: "boundary, requests per second",
    columns: ["scheduler", "λ*", "95 % interval", "stable at", "unstable at", "bound", "exact", "of bound"],
    rows: rows.map((row) => [
      String(row.scheduler),
      shown(row.lambda_star_qps),
      row.ci95_low === null ? "–" : `${shown(row.ci95_low)} – ${shown(row.ci95_high)}`,
      shown(row.stable_up_to_qps),
      shown(row.unstable_from_qps),
      shown(row.upper_bound_qps),
      shown(row.exact_qps),
      typeof row.fraction_of_bound === "number" ? `${(100 * row.fraction_of_bound).toFixed(1)} %` : "–",
    ]),
  };
}

export function answerOf(summary: readonly Row[]): string {
  const parts = [...summary]
    .sort((a, b) => Number(b.lambda_star_qps) - Number(a.lambda_star_qps))
    .map((row) => {
      if (typeof row.lambda_star_qps !== "number")
        return `${row.scheduler} has no boundary that can be trusted`;
      const half = typeof row.ci95_low === "number" ? ` ± ${plain(row.lambda_star_qps - row.ci95_low)}` : "";
      return `${row.scheduler} up to ${plain(row.lambda_star_qps)}${half}`;
    });
  return `stable, in requests per second: ${parts.join(", ")}`;
}

/** Under the resident cap a policy that starves its decodes is held back from starving them. */
export function capNote(study: Study): string[] {
  if (study.config.conventions.sequenceCap === "iteration") return [];
  if (!study.schedulers.some(({ kind }) => kind === "prefill-prioritizing")) return [];
  return [
    "sequenceCap resident: once maxSequences sequences are resident, no prompt is admitted and prefill-prioritizing must decode, in full batches; with sequenceCap iteration prompts go on starving the decodes and its λ* is lower (--set conventions.sequenceCap=iteration)",
  ];
}
