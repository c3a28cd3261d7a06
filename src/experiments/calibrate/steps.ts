/**
 * Steps: measured or rebuilt iterations, one row of a step-time CSV each, and the range of them that is fitted.
 */
import { Issues } from "../../core/issues.js";
import type { BatchShape } from "../../core/service-times/service-time-model.js";
import type { InputFile } from "../interface/experiment.js";
import type { Cell } from "../interface/report.js";

/** One iteration. */
export interface Step {
  readonly decodes: number;
  /** Mean cached tokens of a decoding sequence; 0 without any. */
  readonly kvPerDecode: number;
  readonly prefillTokens: number;
  /** b: tokens of the batch. */
  readonly tokens: number;
  /** ΣKV: cached tokens of the decoding sequences. */
  readonly sumKv: number;
  readonly ms: number;
}

/** The columns of a step-time CSV. */
export const STEP_COLUMNS = [
  "n_decode",
  "kv_per_decode",
  "prefill_tokens",
  "batch_tokens",
  "sum_kv",
  "step_ms",
] as const;

const MOST_COUNT = 1e9;
const COUNT = `a number at least 0 and at most ${MOST_COUNT}`;

/** The rows of a step-time CSV; every problem with its file, line and column. */
export function readSteps({ file, rows, lines }: InputFile): Step[] {
  const issues = new Issues(file);
  const refuse = (line: number, column: string, cell: Cell | undefined, allowed: string): void => {
    const shown = cell === null || cell === undefined ? "nothing" : String(cell).slice(0, 40);
    issues.add(() => ({ key: file, message: `${file}:${line}: invalid ${column}: ${shown} (${allowed})` }));
  };
  const steps = rows.map((row, i): Step => {
    const before = issues.count;
    const count = (column: string): number => {
      const cell = row[column];
      if (typeof cell === "number" && cell >= 0 && cell <= MOST_COUNT) return cell;
      refuse(lines[i], column, cell, COUNT);
      return NaN;
    };
    const [decodes, kvPerDecode, prefillTokens, tokens, sumKv] = STEP_COLUMNS.slice(0, 5).map(count);
    const ms = row.step_ms as number;
    if (!(typeof ms === "number" && ms > 0 && ms <= 1e6))
      refuse(lines[i], "step_ms", row.step_ms, "a number above 0 and at most 1000000, in ms");
    if (issues.count === before) {
      if (tokens !== decodes + prefillTokens || tokens < 1)
        refuse(
          lines[i],
          "batch_tokens",
          tokens,
          `n_decode + prefill_tokens = ${decodes + prefillTokens}, 1 or more`,
        );
      if (decodes === 0 && sumKv > 0) refuse(lines[i], "sum_kv", sumKv, "0 where n_decode is 0");
    }
    return { decodes, kvPerDecode: decodes > 0 ? kvPerDecode : 0, prefillTokens, tokens, sumKv, ms };
  });
  issues.refuse();
  return steps;
}

/** What is fitted; a limit left out does not bind. Ranges of `kvPerDecode` and `chunk` hold where there are any. */
export interface Range {
  readonly leastKv?: number;
  readonly mostKv?: number;
  readonly leastChunk?: number;
  readonly mostTokens?: number;
  readonly mostSumKv?: number;
}

/** The steps inside a range. */
export const stepsIn = (
  steps: readonly Step[],
  { leastKv = 0, mostKv = Infinity, leastChunk = 0, mostTokens = Infinity, mostSumKv = Infinity }: Range,
): Step[] =>
  steps.filter(
    ({ decodes, kvPerDecode, prefillTokens, tokens, sumKv }) =>
      (decodes === 0 || (kvPerDecode >= leastKv && kvPerDecode <= mostKv)) &&
      (prefillTokens === 0 || prefillTokens >= leastChunk) &&
      tokens <= mostTokens &&
      sumKv <= mostSumKv,
  );

/** The batch of a step as the engine would price it: its prompt tokens are one chunk with nothing cached before. */
export const shapeOf = ({ decodes, sumKv, prefillTokens }: Step): BatchShape => ({
  decodes,
  sumKv,
  prefillTokens,
  chunkCount: prefillTokens > 0 ? 1 : 0,
  chunkTokens: Int32Array.of(prefillTokens),
  chunkCached: Int32Array.of(0),
});

/** A step in words, for the one with the largest error. */
export function stepName({ decodes, kvPerDecode, prefillTokens }: Step): string {
  const parts = [
    ...(decodes > 0
      ? [`${decodes} ${decodes === 1 ? "decode" : "decodes"} with ${kvPerDecode} cached tokens each`]
      : []),
    ...(prefillTokens > 0 ? [`${prefillTokens} prompt tokens`] : []),
  ];
  return parts.join(" and ");
}
