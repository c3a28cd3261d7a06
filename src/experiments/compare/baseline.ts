/**
 * An earlier result to compare with: the JSON document of `run --json` or `compare --json`.
 *
 * With each trial's values (`--per-trial`), and the same seed, trials, workload and horizon, trial j of both saw the
 * same requests: paired differences. Everything else is two samples that share nothing: Welch's interval.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { ConfigError } from "../../core/errors.js";
import type { Summary } from "../../stats/index.js";

/** One result of the document. */
export interface BaselineResult {
  readonly scheduler: string;
  readonly ratio: number | null;
  /** What `compare` called it. */
  readonly configuration?: string;
  readonly metrics: ReadonlyMap<string, Summary>;
  /** Each trial's values, by metric. */
  readonly values: ReadonlyMap<string, readonly number[]>;
  /** What the trials' requests were drawn from, as text to compare. */
  readonly drawn?: string;
  /** All its settings; documents of older versions have none. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The result as it stands in the document, with the conventions of the whole. */
  readonly cells: Readonly<Record<string, unknown>>;
}

export interface Baseline {
  readonly file: string;
  readonly seed: number;
  readonly trials: number;
  readonly results: readonly BaselineResult[];
}

/** What the requests of a trial are drawn from; stands in a document with each trial's values. */
export const drawnFrom = ({ workload, horizon }: Pick<SimulationConfig, "workload" | "horizon">): object => ({
  workload,
  horizon,
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const orNaN = (value: unknown): number => (isNumber(value) ? value : NaN);

/**
 * Reads the document.
 * @throws ConfigError when it is none
 */
export function readBaseline(file: string, text: string): Baseline {
  const refuse = (problem: string): never => {
    const message = `invalid --baseline: ${file} (${problem}; a document of llmsim run --json or compare --json)`;
    throw new ConfigError([{ key: "--baseline", message }]);
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return refuse("not JSON");
  }
  if (!isObject(document) || !Array.isArray(document.results)) return refuse("no results");
  const { seed, trials } = document;
  if (!isNumber(seed) || !isNumber(trials)) return refuse("no seed or trials");
  const results = document.results.map((one): BaselineResult => {
    if (!isObject(one) || typeof one.scheduler !== "string" || !isObject(one.metrics))
      return refuse("a result without scheduler or metrics");
    const metrics = new Map<string, Summary>();
    const values = new Map<string, readonly number[]>();
    for (const [name, given] of Object.entries(one.metrics)) {
      if (!isObject(given) || !isNumber(given.n)) return refuse(`metric ${name} has no n`);
      metrics.set(name, {
        n: given.n,
        mean: orNaN(given.mean),
        sd: orNaN(given.sd),
        low: orNaN(given.ci95_low),
        high: orNaN(given.ci95_high),
      });
      if (Array.isArray(given.values)) values.set(name, given.values.map(orNaN));
    }
    return {
      scheduler: one.scheduler,
      ratio: isNumber(one.ratio) ? one.ratio : null,
      ...(typeof one.configuration === "string" && { configuration: one.configuration }),
      metrics,
      values,
      ...(isObject(one.drawn) && { drawn: JSON.stringify(one.drawn) }),
      ...(isObject(one.settings) && { settings: one.settings }),
      cells: { ...one, conventions: document.conventions },
    };
  });
  if (results.length === 0) return refuse("no results");
  return { file, seed, trials, results };
}

/** The result for a scheduler, or the only one there is; undefined when none is its. */
export function resultFor({ results }: Baseline, { scheduler }: Pick<SimulationConfig, "scheduler">) {
  const ratio = typeof scheduler.ratio === "number" ? scheduler.ratio : null;
  const own = results.filter((one) => one.scheduler === scheduler.kind);
  return own.find((one) => one.ratio === ratio) ?? own[0] ?? (results.length === 1 ? results[0] : undefined);
}

/** Why the two are not paired; undefined when they are. */
export function unpaired(
  baseline: Baseline,
  result: BaselineResult,
  config: SimulationConfig,
  study: { readonly seed: number; readonly trials: number },
): string | undefined {
  if (result.values.size === 0 || result.drawn === undefined)
    return "it has no values of single trials (--per-trial)";
  if (baseline.seed !== study.seed) return `its seed is ${baseline.seed}`;
  if (baseline.trials !== study.trials) return `it has ${baseline.trials} trials`;
  if (result.drawn !== JSON.stringify(drawnFrom(config))) return "its workload or horizon is another";
  return undefined;
}
