/**
 * What a job comes to, as plain JSON: the bytes of its values as base64 with their checksum, or the error that the
 * simulation threw. Values come from a server that others may write to, so their number and their bytes are checked;
 * a broken result is the queue's fault and never becomes a number in a table.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Task, TrialValues } from "../../core/trial/trial.js";
import { type Answer, expectedLength, valuesOf } from "../executor.js";
import { QueueFault } from "../queue-fault.js";
import { plainText } from "./connection.js";

/** What a worker returns: an answer, or an error that is none of the simulation's own (it would come again). */
export type Result = { /** Whose it is. */ readonly by?: string } & (
  | { readonly values: string; readonly crc32: number }
  | Exclude<Answer, TrialValues>
  | { readonly error: string }
);

/** The event by which a worker says that its result of a job is not the one that was taken: `jobId`, `first`, `second`. */
export const DISAGREES = "disagrees";

export function resultOf(answer: Answer): Result {
  if (!(answer instanceof Float64Array)) return answer;
  // A NaN has many bit patterns, and which one a machine makes is its own affair.
  const values = Float64Array.from(answer, (value) => (value !== value ? NaN : value));
  const bytes = Buffer.from(values.buffer);
  return { values: bytes.toString("base64"), crc32: crc32(bytes) };
}

/** Who says that a result is theirs. */
export const sourceOf = (data: unknown): string =>
  isRecord(data) && typeof data.by === "string"
    ? plainText(data.by).slice(0, 100)
    : "a worker without a name";

/**
 * What tells two results of a task apart; undefined for what says nothing of the simulation: no result, or an error of
 * the machine.
 */
export function fingerprint(data: unknown): string | undefined {
  if (!isRecord(data) || "error" in data) return undefined;
  const { values, config, plan, invariant } = data;
  return createHash("sha256")
    .update(JSON.stringify([values, config, plan, invariant]))
    .digest("base64");
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Reads what a worker returned.
 * @throws what the simulation threw; QueueFault when it is no result of that task
 */
export function readResult(data: unknown, task: Task): TrialValues {
  const broken = (what: string): never => {
    throw new QueueFault(`a shard came back broken: ${what}`);
  };
  if (!isRecord(data)) return broken("no result");
  if (typeof data.values === "string") {
    const bytes = Buffer.from(data.values, "base64");
    if (bytes.length !== 8 * expectedLength(task) || bytes.toString("base64") !== data.values)
      return broken(`${bytes.length} bytes, expected ${8 * expectedLength(task)}`);
    if (crc32(bytes) !== data.crc32) return broken("its checksum is another");
    return new Float64Array(Uint8Array.from(bytes).buffer);
  }
  // None of the simulation's own, so of that machine, or of whoever wrote it: no reason to look for a bug here.
  if (typeof data.error === "string")
    throw new QueueFault(`a worker failed at a shard: ${plainText(data.error)} (${sourceOf(data)})`);
  if (typeof data.invariant === "string") return valuesOf({ invariant: plainText(data.invariant) });
  const { config, plan } = data;
  if (Array.isArray(config) && config.every((issue) => isRecord(issue) && typeof issue.message === "string"))
    return valuesOf({
      config: config.map(({ key, message }) => ({ key: String(key), message: plainText(String(message)) })),
    });
  if (Array.isArray(plan) && plan.length === 3 && typeof plan[1] === "number")
    return valuesOf({ plan: [plainText(String(plan[0])), plan[1], plainText(String(plan[2]))] });
  return broken("no result");
}
