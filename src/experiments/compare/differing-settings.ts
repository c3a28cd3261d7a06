/**
 * Which settings an earlier result was made with, and which of them are others now: a difference between two loads
 * says nothing of the engines.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { ConfigError } from "../../core/errors.js";
import { keyCells } from "../cells/rows.js";
import type { Study } from "../interface/study.js";
import { drawnFrom, type Baseline, type BaselineResult } from "./baseline.js";

type Tree = Readonly<Record<string, unknown>>;

/** All that a result depends on but the seed and the number of trials; stands in the JSON document. */
export const settingsOf = (config: SimulationConfig): Tree => {
  const { workload, service, engine, scheduler, conventions, horizon, slo } = config;
  return { workload, service, engine, scheduler, conventions, horizon, ...(slo && { slo }) };
};

/** The leaves of a tree by their dotted keys; a list is one. */
function leaves(value: unknown, key = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    for (const [name, below] of Object.entries(value))
      leaves(below, key === "" ? name : `${key}.${name}`, into);
  else if (value !== undefined) into.set(key, typeof value === "string" ? value : JSON.stringify(value));
  return into;
}

/** What a document of an older version, which has no settings, still tells of them. */
const toldBy = (cells: Tree): Map<string, string> =>
  leaves({
    "workload.arrivals.ratePerSecond": cells.lambda_qps,
    "horizon.tmaxSeconds": cells.t_max_s,
    "engine.chunkSize": cells.chunk_size,
    "scheduler.kind": cells.scheduler,
    "scheduler.ratio": cells.ratio,
    conventions: cells.conventions,
    ...(cells.drawn as Tree | undefined),
  });

/** A setting that is null, or that its kind does not have. */
const NONE = "null";
const LONGEST = 40;
const shown = (value: string | undefined): string =>
  value === undefined || value === NONE
    ? "none"
    : value.length > LONGEST
      ? `${value.slice(0, LONGEST)}…`
      : value;

/** The settings that differ, as `key old → new`; of a document that does not tell all, those that it tells. */
export function differing(
  { settings, cells }: BaselineResult,
  config: SimulationConfig,
  study: Study,
): string[] {
  const before = settings ? leaves(settings) : toldBy(cells);
  const now = settings
    ? leaves(settingsOf(config))
    : toldBy({
        ...keyCells(config, study.trials, undefined, study.registry),
        conventions: config.conventions,
        ...("drawn" in cells && { drawn: drawnFrom(config) }),
      });
  const keys = settings ? new Set([...before.keys(), ...now.keys()]) : before.keys();
  return [...keys]
    .filter((key) => (before.get(key) ?? NONE) !== (now.get(key) ?? NONE))
    .map((key) => `${key} ${shown(before.get(key))} → ${shown(now.get(key))}`);
}

const MOST = 8;
const listed = (some: readonly string[]): string =>
  some.slice(0, MOST).join(", ") + (some.length > MOST ? ` and ${some.length - MOST} more` : "");

/** A sentence for each configuration whose settings are not those of the earlier result. */
export const settingsAnswer = (
  { file }: Baseline,
  others: readonly { readonly label: string; readonly settings: readonly string[] }[],
): string[] =>
  others
    .filter(({ settings }) => settings.length > 0)
    .map(({ label, settings }) => `${label} has other settings than ${file}: ${listed(settings)}`);

/**
 * A condition in CI is about one thing that is to stay as good as it was.
 * @throws ConfigError where the settings are others
 */
export function requireSettings(sentences: readonly string[]): void {
  if (sentences.length === 0) return;
  throw new ConfigError(
    sentences.map((sentence) => ({
      key: "--baseline",
      message: `--assert with another --baseline: ${sentence} (give the same settings, or make the baseline again)`,
    })),
  );
}
