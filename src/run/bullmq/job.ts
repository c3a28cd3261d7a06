/**
 * A job: one task with all that a worker needs to know, as plain JSON. It comes from a server that others may write
 * to, so both sides check it, by hand: a task is numbers, names and lists, nothing of it is ever evaluated, and names
 * are looked up in the registry. Its id is the hash of what it says, so two runs that ask for the same share it.
 */
import { createHash } from "node:crypto";
import { invariant } from "../../core/errors.js";
import { TIME_NAMES } from "../../core/measures/metrics.js";
import type { Task } from "../../core/trial/trial.js";
import { shardKey } from "../journal.js";
import { type Build, describeBuild } from "./peers.js";

const FORM = 1;

/** A recorded trace that the task names, by the hash under which its columns stand in Redis. */
export interface TraceName {
  readonly key: string;
  readonly sha256: string;
}

export interface ShardJob extends Build {
  readonly form: typeof FORM;
  readonly task: Task;
  readonly traces: readonly TraceName[];
}

/** Why a worker does not do a job: it is not what was agreed. Another try would change nothing. */
export class Refusal extends Error {}

const REFUSED = "refused: ";
export const refusal = (reason: string): Refusal => new Refusal(`${REFUSED}${reason}`);
export const isRefusal = (message: string): boolean => message.startsWith(REFUSED);

/** @throws InvariantError when the task is not plain data: JSON would make something else of it */
export function jobOf(task: Task, traces: readonly TraceName[], { version, core }: Build): ShardJob {
  const flaw = flawOf(task);
  invariant(flaw === undefined, () => `a task that no queue can carry: ${flaw}`);
  return { form: FORM, version, core, task, traces };
}

export function jobId({ core, task, traces }: ShardJob): string {
  const hash = createHash("sha256").update(shardKey(core, task)).update(JSON.stringify(traces));
  return `shard-${hash.digest("hex").slice(0, 32)}`;
}

/**
 * Reads a job that came from a queue.
 * @param id the id that it came under
 * @throws Refusal when it is no job of this form, version and core
 */
export function readJob(data: unknown, id: string | undefined, mine: Build): ShardJob {
  // BullMQ's own of a job whose key a full Redis has dropped.
  if (isRecord(data) && Object.keys(data).length === 0) throw refusal(`a shard ${GONE}`);
  if (!isRecord(data) || data.form !== FORM) throw refusal("no shard of this form");
  const { version, core, task, traces } = data;
  if (typeof version !== "string" || typeof core !== "string") throw refusal("a shard of no version");
  if (version !== mine.version || core !== mine.core)
    throw refusal(`a shard of ${describeBuild({ version, core })}; this worker is ${describeBuild(mine)}`);
  if (!Array.isArray(traces) || traces.length > MOST_TRACES || !traces.every(isTraceName))
    throw refusal("invalid traces");
  const flaw = flawOf(task);
  if (flaw !== undefined) throw refusal(flaw);
  const job: ShardJob = { form: FORM, version, core, task: task as Task, traces };
  if (jobId(job) !== id) throw refusal("a shard under the id of another");
  return job;
}

/** How the worker ends what it says of a thing that Redis has dropped; who sent it can send it again. */
export const GONE = "that is gone";

const MOST_TRACES = 64;
const MOST_CONFIGS = 100_000;
const MOST_WINDOWS = 1_000_000;
const MOST_MEASURES = 1000;
const DEEPEST = 12;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;
const isAmount = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;
const isTraceName = (value: unknown): value is TraceName =>
  isRecord(value) &&
  typeof value.key === "string" &&
  typeof value.sha256 === "string" &&
  /^[0-9a-f]{64}$/.test(value.sha256) &&
  Object.keys(value).length === 2;

const TRIAL_KEYS = ["seed", "first", "count", "configs", "windows", "measures", "verify", "plain"];
const STABILITY_KEYS = [
  ...["kind", "seed", "trial", "config", "backlog", "batches", "settle", "batchSeconds", "fromEmpty"],
  ...["verify", "plain"],
];
const CONFIG_PARTS = ["workload", "service", "engine", "scheduler", "conventions", "horizon"];

/** What is wrong with a task, undefined if nothing; the values of options are the simulator's to judge. */
function flawOf(task: unknown): string | undefined {
  if (!isRecord(task)) return "no task";
  if ("plugins" in task) return "a task with plugins, which are files of another machine";
  const isStability = task.kind === "stability";
  const known = isStability ? STABILITY_KEYS : TRIAL_KEYS;
  const strange = Object.keys(task).find((key) => !known.includes(key));
  if (strange !== undefined) return `a task with ${JSON.stringify(strange).slice(0, 40)}`;
  if (!isCount(task.seed, Number.MIN_SAFE_INTEGER)) return "invalid seed";
  for (const flag of ["verify", "plain"])
    if (!["boolean", "undefined"].includes(typeof task[flag])) return `invalid ${flag}`;
  return (isStability ? stabilityFlaw(task) : trialFlaw(task)) ?? plainFlaw(task, 0);
}

const isMeasure = (value: unknown): boolean => {
  if (!isRecord(value) || !TIME_NAMES.some((time) => time === value.time)) return false;
  const keys = Object.keys(value).length;
  if (value.kind === "tail")
    return keys === 4 && isAmount(value.seconds) && typeof value.orEqual === "boolean";
  return value.kind === "percentile" && keys === 3 && isAmount(value.percent) && value.percent < 100;
};

function trialFlaw({
  first,
  count,
  configs,
  windows,
  measures,
  verify,
}: Record<string, unknown>): string | undefined {
  if (!isCount(first, 1) || !isCount(count, 1)) return "invalid trials";
  if (!Array.isArray(configs) || configs.length === 0 || configs.length > MOST_CONFIGS)
    return "invalid configurations";
  if (!configs.every(isConfig)) return "invalid configuration";
  const isAscending =
    Array.isArray(windows) &&
    windows.length <= MOST_WINDOWS &&
    windows.every((end, i) => isAmount(end) && (i === 0 || end >= windows[i - 1]));
  if (!isAscending) return "invalid windows";
  const areMeasures =
    Array.isArray(measures) && measures.length <= MOST_MEASURES && measures.every(isMeasure);
  if (measures !== undefined && !areMeasures) return "invalid measures";
  return typeof verify === "boolean" ? undefined : "invalid verify";
}

function stabilityFlaw(task: Record<string, unknown>): string | undefined {
  if (!isConfig(task.config)) return "invalid configuration";
  const areCounts = isCount(task.trial, 1) && isCount(task.batches, 1);
  const areAmounts = [task.backlog, task.settle, task.batchSeconds].every(isAmount);
  return areCounts && areAmounts && typeof task.fromEmpty === "boolean" ? undefined : "invalid batches";
}

/** A configuration's shape: its parts, each plain data. */
const isConfig = (value: unknown): boolean =>
  isRecord(value) &&
  CONFIG_PARTS.every((part) => isRecord(value[part])) &&
  Object.keys(value).every((key) => CONFIG_PARTS.includes(key) || key === "slo");

/** Only what JSON carries as it is: finite numbers, texts, booleans, null, lists and records, not too deep. */
function plainFlaw(value: unknown, depth: number): string | undefined {
  if (value === null || value === undefined || typeof value === "boolean" || typeof value === "string")
    return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "a number that is not finite";
  if (typeof value !== "object" || depth > DEEPEST) return "what is no plain data";
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype)
    return "what is no plain data";
  for (const [key, one] of Object.entries(value)) {
    if (key === "__proto__") return "what is no plain data";
    const flaw = plainFlaw(one, depth + 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}
