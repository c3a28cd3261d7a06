/** A time's values of a finished trial in ns, ascending, straight from its table of requests. */
import type { TimeName } from "../../../src/core/measures/metrics.js";
import type { Outcome } from "../../../src/core/engine/outcome.js";

export function tailCount({ shared, firstMeasured, arrived }: Outcome, time: TimeName): number[] {
  const { sequences, gaps } = shared;
  const { requests, startedAt, firstTokenAt, finishedAt } = sequences;
  const sample: number[] = [];
  if (time === "itl")
    for (let i = 0; i < gaps.count; i++) for (let n = 0; n < gaps.weight[i]!; n++) sample.push(gaps.gap[i]!);
  else
    for (let id = firstMeasured; id < arrived; id++) {
      const outputs = requests.outputTokens[id]!;
      if (Number.isNaN(finishedAt[id])) continue;
      if (time === "rts") sample.push(finishedAt[id]! - requests.arrivedAt[id]!);
      if (time === "queueing_delay") sample.push(startedAt[id]! - requests.arrivedAt[id]!);
      if (time === "ttft" && outputs > 0) sample.push(firstTokenAt[id]! - requests.arrivedAt[id]!);
      if (time === "tbt" && outputs > 1) sample.push((finishedAt[id]! - firstTokenAt[id]!) / (outputs - 1));
    }
  return sample.sort((a, b) => a - b);
}
