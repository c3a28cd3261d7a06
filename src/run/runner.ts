/** The Trials port over an executor: cuts requests into shards, keeps the executor busy, reports progress. */
import { setImmediate } from "node:timers/promises";
import { invariant, UnfitError } from "../core/errors.js";
import { builtIn, type Registry } from "../core/configuration/registry.js";
import type { StabilityTask, Task, TrialValues } from "../core/trial/trial.js";
import {
  type StabilityRecord,
  stabilityRecord,
  type TrialRequest,
  type Trials,
  TrialRecords,
} from "../experiments/interface/trials.js";
import type { Executor } from "./executor.js";
import { Interrupted } from "./interrupted.js";
import { refuseExcess } from "./limits.js";
import { MemoryFault } from "./machine-fault.js";
import type { Share } from "./share.js";
import { apart, arrivalsOf, place, type Shard, shardsOf } from "./tasks.js";
import { WorkerFault } from "./worker-fault.js";

/** Who hears how far the work is; amounts are simulated requests, about. */
export interface Progress {
  /** More work is known; it may overlap with what is under way. */
  begin(label: string, amount: number): void;
  advance(amount: number): void;
  /** One of the works begun is over. */
  end(): void;
  /** About how many seconds an amount takes at the pace so far; undefined before any. */
  secondsFor?(amount: number): number | undefined;
}

export interface RunnerOptions {
  /** Check every law of the model while simulating. */
  readonly verify?: boolean;
  /** Simulate without the fast paths, one iteration at a time. */
  readonly plain?: boolean;
  /**
   * The user asks to stop: no more tasks are begun, and the executor ends those that run. Trials that were not run have no value
   * for any metric, so that what is there can still be shown; runs from a backlog, which cannot be shown in part,
   * reject with the signal's reason.
   */
  readonly signal?: AbortSignal | undefined;
  /** What the executor looks members up in: how much work there is depends on it. */
  readonly registry?: Registry | undefined;
  /** Lifts the limit on the size of the results. */
  readonly force?: boolean;
  /** Only the tasks of this share are run: trials of the others have no value for any metric. */
  readonly share?: Share | undefined;
}

export function runner(executor: Executor, progress: Progress, options: RunnerOptions = {}): Trials {
  const { verify = false, plain = false, signal, registry = builtIn, share, force = false } = options;
  const how = { ...(verify && { verify }), ...(plain && { plain }) };
  return {
    async run(request: TrialRequest): Promise<TrialRecords> {
      refuseExcess(request, force);
      const records = new TrialRecords(request);
      records.values.fill(NaN);
      const shards = shardsOf(request, how, registry, executor.grain).filter(() => share?.takes() ?? true);
      let finished = 0;
      const done = (shard: Shard, values: TrialValues): void => {
        place(records, request, shard, values);
        finished = Math.max(finished, shard.task.first + shard.task.count - (request.first ?? 1));
      };
      const { failed } = records;
      const instead = (shard: Shard, error: unknown): readonly Shard[] | undefined => {
        // A share's file stands for all of its tasks: one that failed could not be joined with the others.
        const goesOn = request.goesOnAfterFailures === true && share === undefined;
        if (!goesOn || !isOfItsSettings(error)) return undefined;
        if (shard.places.length > 1) return apart(shard);
        failed.set(shard.places[0], error);
        return [];
      };
      const isVain = ({ places }: Shard): boolean => places.every((place) => failed.has(place));
      await runShards(executor, progress, request.label, shards, signal, { done, instead, isVain });
      for (const [place, error] of failed) records.fail(place, error);
      if (failed.size === request.configs.length) throw failed.get(0)!;
      return signal?.aborted === true ? records.firstTrials(finished) : records;
    },
    async stability(label: string, tasks: readonly StabilityTask[]): Promise<StabilityRecord[]> {
      invariant(share === undefined, "runs from a backlog are not shared out");
      const answers: StabilityRecord[] = [];
      const shards = tasks.map((task, index) => ({
        task: { ...task, ...how },
        index,
        cost: arrivalsOf(task, registry),
      }));
      await runShards(executor, progress, label, shards, signal, {
        done: ({ task, index }, values) => (answers[index] = stabilityRecord(task, values)),
      });
      signal?.throwIfAborted();
      return answers;
    },
    async goesOn() {
      await setImmediate();
      return signal?.aborted !== true;
    },
    secondsFor: (request) =>
      progress.secondsFor?.(
        shardsOf(request, how, registry, executor.grain).reduce((sum, shard) => sum + shard.cost, 0),
      ),
  };
}

/** Whether other settings would not have it: neither a bug nor a machine that can do nothing at all. */
const isOfItsSettings = (error: unknown): error is Error =>
  error instanceof UnfitError ||
  error instanceof MemoryFault ||
  (error instanceof WorkerFault && error.isForWantOfMemory);

interface Taking<S> {
  readonly done: (shard: S, values: TrialValues) => void;
  /** Shards to run where one failed; undefined where that is an error. */
  readonly instead?: (shard: S, error: unknown) => readonly S[] | undefined;
  /** Nobody wants a shard's values any more. */
  readonly isVain?: (shard: S) => boolean;
}

/** Keeps the executor busy with shards until all are done; the first error stops the rest. */
async function runShards<S extends { readonly task: Task; readonly cost: number }>(
  executor: Executor,
  progress: Progress,
  label: string,
  given: readonly S[],
  signal: AbortSignal | undefined,
  { done, instead, isVain }: Taking<S>,
): Promise<void> {
  const shards = [...given];
  progress.begin(
    label,
    shards.reduce((sum, shard) => sum + shard.cost, 0),
  );
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < shards.length && signal?.aborted !== true) {
      const shard = shards[next++];
      if (isVain?.(shard) === true) {
        progress.advance(shard.cost);
        continue;
      }
      const values = await executor.run(shard.task).catch((error: unknown) => {
        const others = instead?.(shard, error);
        if (others) return others;
        next = shards.length; // the others finish what they have begun, no more
        // An executor that works elsewhere leaves there what runs when the user asks to stop.
        if (error instanceof Interrupted && signal?.aborted === true) return undefined;
        throw error;
      });
      if (values === undefined) return;
      if (values instanceof Float64Array) done(shard, values);
      else shards.push(...values);
      if (values instanceof Float64Array || values.length === 0) progress.advance(shard.cost);
    }
  };
  // Two tasks a worker: one runs while the next is on its way.
  const lanes = await Promise.allSettled(Array.from({ length: executor.width * 2 }, lane));
  progress.end();
  for (const outcome of lanes) if (outcome.status === "rejected") throw outcome.reason;
}
