/** What the fast engine owes the plain one, request by request and in sum: identical, whatever the case. */
import { expect } from "vitest";
import type { Outcome } from "../../../src/core/engine/outcome.js";
import type { OracleOutput, OracleRequest } from "../../oracle/interface.js";

/** Over all replicas. */
export const total = ({ replicas }: Outcome, of: (replica: Outcome["replicas"][number]) => number): number =>
  replicas.reduce((sum, replica) => sum + of(replica), 0);

/** Lengths and instants of each request. */
export function expectRequests({ shared, arrived }: Outcome, requests: readonly OracleRequest[]): void {
  const { sequences } = shared;
  const { arrivedAt, promptTokens, outputTokens } = sequences.requests;
  const found = Array.from({ length: arrived }, (_, id) => ({
    ...{ arrivedAt: arrivedAt[id], promptTokens: promptTokens[id], outputTokens: outputTokens[id] },
    startedAt: sequences.startedAt[id],
    firstTokenAt: sequences.firstTokenAt[id],
    finishedAt: sequences.finishedAt[id],
  }));
  const expected = requests.map(({ startedAt, firstTokenAt, finishedAt, ...given }) => ({
    ...{
      arrivedAt: given.arrivedAt,
      promptTokens: given.promptTokens,
      outputTokens: given.outputTokens,
    },
    ...{ startedAt, firstTokenAt, finishedAt },
  }));
  expect(found).toEqual(expected);
}

/** Iterations, tokens, preemptions and rejections. */
export function expectTotals(outcome: Outcome, slow: OracleOutput): void {
  expect({
    iterations: total(outcome, ({ iterations }) => iterations),
    prefillTokens: total(outcome, ({ prefillTokens }) => prefillTokens),
    decodeTokens: total(outcome, ({ decodeTokens }) => decodeTokens),
    preemptions: total(outcome, ({ preemptions }) => preemptions),
    rejected: outcome.shared.rejected,
  }).toEqual({
    iterations: slow.iterations.length,
    prefillTokens: slow.prefillTokens,
    decodeTokens: slow.decodeTokens,
    preemptions: slow.preemptions,
    rejected: slow.rejected,
  });
}

/** Pooled gaps between tokens of measured requests, each with the number of times that it came. */
export function expectGaps(outcome: Outcome, measured: readonly OracleRequest[]): void {
  const { gaps } = outcome.shared;
  const found = new Map<number, number>();
  const expected = new Map<number, number>();
  const add = (pool: Map<number, number>, gap: number, times: number): void =>
    void pool.set(gap, (pool.get(gap) ?? 0) + times);
  // An entry without weight was expected and never counted.
  for (let i = 0; i < gaps.count; i++) if (gaps.weight[i]! > 0) add(found, gaps.gap[i]!, gaps.weight[i]!);
  for (const { tokenAt } of measured)
    for (let i = 1; i < tokenAt.length; i++) add(expected, tokenAt[i]! - tokenAt[i - 1]!, 1);
  const sorted = (pool: Map<number, number>): [number, number][] => [...pool].sort((a, b) => a[0] - b[0]);
  expect(sorted(found)).toEqual(sorted(expected));
}

/** The largest gap of each request; 0 without one. */
export function expectLargestGaps({ shared }: Outcome, requests: readonly OracleRequest[]): void {
  expect(Array.from(shared.sequences.largestGap!.subarray(0, requests.length))).toEqual(
    requests.map(({ tokenAt }) =>
      tokenAt.reduce((most, at, i) => (i === 0 ? 0 : Math.max(most, at - tokenAt[i - 1]!)), 0),
    ),
  );
}

/** Iteration time inside the makespan, by adding up every iteration's part of it. */
export function expectBusyTime(outcome: Outcome, slow: OracleOutput): void {
  const { measuredFrom: from, measuredUntil: until } = outcome;
  let busy = 0;
  for (const { startAt, endAt } of slow.iterations)
    busy += Math.max(0, Math.min(endAt, until) - Math.max(startAt, from));
  expect(outcome.busyTime).toBe(busy);
}
