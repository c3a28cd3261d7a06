/**
 * Service-level objectives asked of each request, as options; what they come to is judged by judge-requests.ts.
 */
import type { OptionSpec } from "../options/definition.js";

/** Limits for each request, in seconds; null: not asked for. */
export interface SloConfig {
  /** First token − arrival. */
  readonly ttftSeconds: number | null;
  /** Time between tokens, by the convention in force. */
  readonly tbtSeconds: number | null;
  /** Completion − arrival. */
  readonly rtsSeconds: number | null;
  /** The largest gap between two tokens in a row. */
  readonly itlSeconds: number | null;
}

const limit = (key: keyof SloConfig, summary: string): OptionSpec => ({
  key,
  kind: "number",
  min: 0,
  above: true,
  max: 9_000_000,
  nullable: true,
  default: null,
  unit: "s",
  summary,
});

export const SLO_OPTIONS: readonly OptionSpec[] = [
  limit("ttftSeconds", "time to first token that a request may take"),
  limit("tbtSeconds", "time between tokens that a request may have"),
  limit("rtsSeconds", "response time that a request may take"),
  limit("itlSeconds", "largest gap between tokens that a request may have"),
];

/** The words of `--slo` for what is asked of each request. */
export const SLO_WORDS: ReadonlyMap<string, keyof SloConfig> = new Map([
  ["ttft", "ttftSeconds"],
  ["tbt", "tbtSeconds"],
  ["rts", "rtsSeconds"],
  ["itl", "itlSeconds"],
]);

/** Whether a trial must know every request's largest gap: it costs time, so only then. */
export const needsLargestGaps = ({ slo }: { readonly slo?: SloConfig }): boolean =>
  (slo?.itlSeconds ?? null) !== null;
