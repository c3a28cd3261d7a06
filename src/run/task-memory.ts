/**
 * What a task takes of the machine's memory, which is that of its longest trial: all rows of a trial stand in memory.
 */
import { expectedRequests } from "../core/configuration/expected-requests.js";
import type { Registry } from "../core/configuration/registry.js";
import type { Task } from "../core/trial/trial.js";

/** Measured 67 to 77 (`npm run bench -- growth`), the more the longer its columns: limited KV memory, largest gaps, hits. */
const BYTES_A_REQUEST = 80;
/** A task of less is not asked about: every thread has room for it. */
const SMALL = 2 ** 27;

/** Rows of a task's longest trial, about. */
export function rowsOf(task: Task, registry: Registry): number {
  if ("kind" in task) {
    const { config, backlog, batches, settle, batchSeconds } = task;
    return backlog + expectedRequests(config, batchSeconds * (batches + settle), registry);
  }
  const { configs, windows } = task;
  const rows = configs.map((config) => {
    const { tmaxSeconds, maxRequests } = config.horizon;
    const seconds = windows.length > 0 ? Math.max(...windows) : tmaxSeconds;
    return Math.min(maxRequests ?? Infinity, expectedRequests(config, seconds, registry));
  });
  return Math.max(...rows);
}

/** Bytes of a task, about; a verified one keeps a second account to hold the first against. */
export const bytesOf = (task: Task, registry: Registry): number =>
  rowsOf(task, registry) * BYTES_A_REQUEST * (task.verify === true ? 2 : 1);

/** Whether buffers that grew to a task's size are worth giving back. */
export const isLarge = (bytes: number): boolean => bytes > SMALL;
