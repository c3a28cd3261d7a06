/** The Trials port over an executor: cuts requests into shards, keeps the executor busy, reports progress. */
import { type TrialRequest, type Trials, TrialRecords } from "../experiments/trials.js";
import type { Executor } from "./executor.js";
import { place, shardsOf } from "./tasks.js";

/** Who hears how far the work is; amounts are simulated requests, about. */
export interface Progress {
  begin(label: string, amount: number): void;
  advance(amount: number): void;
  end(): void;
}

/**
 * @param verify check every law of the model while simulating
 */
export function runner(executor: Executor, progress: Progress, verify = false): Trials {
  return {
    async run(request: TrialRequest): Promise<TrialRecords> {
      const records = new TrialRecords(request);
      const shards = shardsOf(request, verify);
      progress.begin(
        request.label,
        shards.reduce((sum, shard) => sum + shard.cost, 0),
      );
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < shards.length) {
          const shard = shards[next++];
          const values = await executor.run(shard.task).catch((error: unknown) => {
            next = shards.length; // the others finish what they have begun, no more
            throw error;
          });
          place(records, request, shard, values);
          progress.advance(shard.cost);
        }
      };
      // Two tasks a worker: one runs while the next is on its way.
      const lanes = await Promise.allSettled(Array.from({ length: executor.width * 2 }, lane));
      progress.end();
      for (const outcome of lanes) if (outcome.status === "rejected") throw outcome.reason;
      return records;
    },
  };
}
