/**
 * Replays a measured run: the same requests at the same instants through the simulated engine, and the same times of
 * each request as the run has them.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { endOfIteration, type Observer, type StretchRecord } from "../../core/engine/observer.js";
import type { Registry } from "../../core/configuration/registry.js";
import { Requests } from "../../core/workload/requests.js";
import { Simulator } from "../../core/trial/simulate.js";
import { firstAtLeast } from "../../core/numbers/sorted.js";
import { fromMilliseconds, fromSeconds, toSeconds, asInstant } from "../../core/numbers/units.js";
import type { MeasuredRequest } from "./run.js";

/** Times of a request in seconds, counted from when the engine picked it up. */
export interface Times {
  readonly ttft: number;
  /** Time a token after the first; NaN of a request that has only one. */
  readonly tpot: number;
  readonly e2e: number;
}

/** The times as they were measured. */
export const measuredTimes = ({
  queuedAt,
  firstTokenAt,
  lastTokenAt,
  outputTokens,
}: MeasuredRequest): Times => ({
  ttft: firstTokenAt - queuedAt,
  tpot: (lastTokenAt - firstTokenAt) / (outputTokens - 1),
  e2e: lastTokenAt - queuedAt,
});

/**
 * When an engine takes arrivals in: a request that arrives while an iteration runs is seen at its end, one that finds
 * the engine idle at once. It is the instant that vLLM stamps as `queued_ts`.
 */
export class IterationEnds implements Observer {
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  ended(stretch: StretchRecord): void {
    for (let i = 1; i <= stretch.iterations; i++) {
      this.starts.push(endOfIteration(stretch, i - 1));
      this.ends.push(endOfIteration(stretch, i));
    }
  }

  /** When a request that arrives at `instant` is picked up, in ns. */
  pickedUpAt(instant: number): number {
    const i = firstAtLeast(this.ends, instant);
    return i < this.ends.length && this.starts[i] < instant ? this.ends[i] : instant;
  }
}

/**
 * The simulated times of each request, NaN of one that the engine turns away because it fits into no memory.
 * @param config complete and checked; its workload and horizon do not matter
 * @param run in the order of arrival
 */
export function replay(
  config: SimulationConfig,
  run: readonly MeasuredRequest[],
  registry?: Registry,
): Times[] {
  const first = run[0].arrivedAt;
  const requests = Requests.of(
    run.map(({ arrivedAt, promptTokens, outputTokens }) => ({
      arrivedAt: fromSeconds(arrivedAt - first),
      promptTokens,
      outputTokens,
    })),
  );
  requests.prefixHitTokens = Int32Array.from(run, ({ hitTokens }) => hitTokens);
  const observer = new IterationEnds();
  const whole = { ...config, horizon: { ...config.horizon, warmupSeconds: 0 } };
  const { shared } = new Simulator(registry).run(whole, requests, { seed: 1, trial: 1, observer });
  const { firstTokenAt, finishedAt } = shared.sequences;
  const overhead = fromMilliseconds(config.engine.overheadMs);
  return run.map(({ outputTokens }, i) => {
    const pickedUpAt = observer.pickedUpAt(requests.arrivedAt[i] + overhead);
    const since = (instant: number, from: number): number => toSeconds(asInstant(instant - from));
    return {
      ttft: since(firstTokenAt[i], pickedUpAt),
      tpot: since(finishedAt[i], firstTokenAt[i]) / (outputTokens - 1),
      e2e: since(finishedAt[i], pickedUpAt),
    };
  });
}
