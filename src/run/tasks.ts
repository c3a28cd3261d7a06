/**
 * Cuts a request for trials into tasks for workers: big enough that handing them over costs nothing, small
 * enough that the last ones end together. Configurations that share their random numbers stay together.
 */
import type { SimulationConfig } from "../core/configuration/config.js";
import { expectedRequests as requestsIn } from "../core/configuration/expected-requests.js";
import { builtIn, type Registry } from "../core/configuration/registry.js";
import type { StabilityTask, TrialTask, TrialValues } from "../core/trial/trial.js";
import type { TrialRecords, TrialRequest } from "../experiments/interface/trials.js";

/** A task and where its values go. */
export interface Shard {
  readonly task: TrialTask;
  /** Place of each of the task's configurations in the request. */
  readonly places: readonly number[];
  /** About how many requests it simulates. */
  readonly cost: number;
}

/** A task simulates about this many requests (some 10 ms of work), and at least one trial. */
const REQUESTS_A_TASK = 60_000;

/** Requests that one trial of a configuration is expected to simulate, over all its windows. */
function expectedRequests(config: SimulationConfig, windows: readonly number[], registry: Registry): number {
  const most = config.horizon.maxRequests ?? Infinity;
  const spans = windows.length > 0 ? windows : [config.horizon.tmaxSeconds];
  return spans.reduce((sum, seconds) => sum + 1 + Math.min(most, requestsIn(config, seconds, registry)), 0);
}

/** Requests that a stability task is expected to simulate. */
export const arrivalsOf = (
  { config, backlog, batches, settle, batchSeconds, fromEmpty }: StabilityTask,
  registry: Registry = builtIn,
): number =>
  backlog + expectedRequests(config, [batchSeconds * (batches + settle)], registry) * (fromEmpty ? 2 : 1);

/**
 * The shards of a request, dearest first so that none is left to run alone at the end.
 * @param grain how many requests a shard should simulate, of all that are asked for
 */
export function shardsOf(
  request: TrialRequest,
  { verify = false, plain = false }: { readonly verify?: boolean; readonly plain?: boolean },
  registry: Registry = builtIn,
  grain: (requests: number) => number = () => REQUESTS_A_TASK,
): Shard[] {
  const windows = request.windows ?? [];
  const groups = new Map<string, number[]>();
  request.configs.forEach((config, place) => {
    const key = JSON.stringify([config.workload, config.horizon]);
    const group = groups.get(key);
    if (group) group.push(place);
    else groups.set(key, [place]);
  });
  const shards: Shard[] = [];
  const parts = [...groups.values()].map((places) => {
    const configs = places.map((place) => request.configs[place]);
    return { places, configs, perTrial: expectedRequests(configs[0], windows, registry) * configs.length };
  });
  const size = grain(request.trials * parts.reduce((sum, { perTrial }) => sum + perTrial, 0));
  for (const { places, configs, perTrial } of parts) {
    const count = Math.max(1, Math.floor(size / perTrial));
    const end = (request.first ?? 1) + request.trials;
    for (let first = request.first ?? 1; first < end; first += count) {
      const trials = Math.min(count, end - first);
      shards.push({
        task: {
          seed: request.seed,
          first,
          count: trials,
          configs,
          windows,
          ...(request.measures && { measures: request.measures }),
          verify: verify || request.verify === true,
          ...(plain && { plain }),
        },
        places,
        cost: perTrial * trials,
      });
    }
  }
  return shards.sort((a, b) => b.cost - a.cost);
}

/** A shard as one for each of its configurations. */
export const apart = ({ task, places, cost }: Shard): Shard[] =>
  task.configs.map((config, i) => ({
    task: { ...task, configs: [config] },
    places: [places[i]],
    cost: cost / places.length,
  }));

/** Puts a finished shard's values where they belong. */
export function place(records: TrialRecords, request: TrialRequest, shard: Shard, values: TrialValues): void {
  const span = records.windows * records.width;
  let from = 0;
  for (let i = 0; i < shard.task.count; i++)
    for (const config of shard.places) {
      const trial = shard.task.first - (request.first ?? 1) + i;
      records.values.set(values.subarray(from, from + span), records.offset(trial, config));
      from += span;
    }
}
