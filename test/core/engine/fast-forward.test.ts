/** Decoding without asking (core/engine/fast-forward.ts): where it is stopped, with how many, and what it remembers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { complete } from "../../../src/core/configuration/config.js";
import { PlanError } from "../../../src/core/errors.js";
import { advance } from "../../../src/core/engine/loop.js";
import { Snapshot } from "../../../src/core/engine/snapshot.js";
import { outcomeOf, Simulator } from "../../../src/core/trial/simulate.js";
import { NEVER, asInstant } from "../../../src/core/numbers/units.js";
import {
  account,
  plugin,
  requestsOf,
  rows,
  run,
  type Row,
  withSchedulers,
} from "../../contract/workloads.js";

const service = { kind: "affine", cMs: 10, aMs: 1 };

/** What a run comes to that stops at each of these instants and goes on. */
function inSteps(given: readonly Row[], kind: string, stops: readonly number[]): object {
  const law = { kind: "fixed", tokens: 1 };
  const config = complete({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 1 },
      promptTokens: law,
      outputTokens: law,
    },
    service,
    scheduler: { kind },
    horizon: { tmaxSeconds: 1e6 },
  });
  const state = new Simulator().begin(config, requestsOf(given), { seed: 1, trial: 1 });
  for (const stop of stops) advance(state, asInstant(stop));
  advance(state, NEVER);
  return account({ outcome: outcomeOf(state) });
}

test.each(["decode-prioritizing", "prefill-prioritizing", "hybrid"])(
  "%s: stopped at some instants and gone on from there, it is the same run",
  (kind) => {
    const instants = fc
      .array(fc.integer({ min: 0, max: 2_000_000_000 }), { minLength: 1, maxLength: 6 })
      .map((stops) => stops.sort((a, b) => a - b));
    fc.assert(
      fc.property(rows, instants, (given, stops) => {
        expect(inSteps(given, kind, stops)).toEqual(inSteps(given, kind, []));
      }),
      { numRuns: 100 },
    );
  },
);

test("however many decode: two hundred that finish one by one, stopped between", () => {
  const given = Array.from({ length: 200 }, (_, i): Row => [0, 1, i + 2]);
  const stopped = inSteps(given, "prefill-prioritizing", [1.5e9, 3.25e9]);
  expect(stopped).toEqual(inSteps(given, "prefill-prioritizing", []));
  const watched = account(run(given, { service, scheduler: { kind: "prefill-prioritizing" } }));
  expect(stopped).toEqual(watched);
});

test("stopped in the first stretch after a prefill that others waited for: their gaps count once", () => {
  const given: readonly Row[] = [
    [0, 1, 50],
    [25e6, 1, 50],
  ];
  // The second prompt's iteration ends at 44 ms; both decode on from there, 12 ms each time.
  for (const stop of [44e6, 50e6, 100e6])
    expect(inSteps(given, "prefill-prioritizing", [stop])).toEqual(
      inSteps(given, "prefill-prioritizing", []),
    );
});

test("sequences that stand ready at the start decode before anything arrives", () => {
  const law = { kind: "fixed", tokens: 1 };
  const workload = { arrivals: { kind: "poisson", ratePerSecond: 1 }, promptTokens: law, outputTokens: law };
  const scheduler = { kind: "hybrid" };
  const config = complete({ workload, service, scheduler, horizon: { tmaxSeconds: 1e6 } });
  const requests = requestsOf([
    [0, 1, 5],
    [1e9, 1, 1],
  ]);
  const { shared, replicas, ...rest } = new Simulator().begin(config, requests, { seed: 1, trial: 1 });
  const { sequences } = shared;
  sequences.promptLeft[0] = sequences.startedAt[0] = sequences.firstTokenAt[0] = sequences.lastTokenAt[0] = 0;
  sequences.decodeLeft[0] = 4;
  replicas[0].pool.append(0, sequences.place);
  replicas[0].resident++;
  shared.arrived++;
  shared.nextArrivalAt = asInstant(1e9);
  advance({ shared, replicas, ...rest }, NEVER);
  // Four tokens at 11 ms each; the prompt of the other at its arrival.
  expect([...sequences.finishedAt.subarray(0, 2)]).toEqual([44e6, 1e9 + 11e6]);
});

test("what iterations took under one model is not what they take under the next", () => {
  const given: readonly Row[] = [
    [0, 1, 5],
    [0, 1, 9],
  ];
  const simulator = new Simulator();
  const times = [10, 30].map((cMs) => {
    const { outcome } = run(given, { service: { ...service, cMs } }, { simulator, verify: false });
    return [...outcome.shared.sequences.finishedAt.subarray(0, 2)];
  });
  // The prompts in one iteration of 2 tokens; decodes of both, and of the longer one.
  const expected = (cMs: number): number[] => {
    const first = (cMs + 2) * 5;
    return [first * 1e6, (first + (cMs + 1) * 4) * 1e6];
  };
  expect(times).toEqual([expected(10), expected(30)]);
});

test("after a fork the model is asked anew: the log has forgotten the gaps it was told to expect", () => {
  const given: readonly Row[] = [
    [0, 1, 5],
    [0, 1, 9],
  ];
  const law = { kind: "fixed", tokens: 1 };
  const workload = { arrivals: { kind: "poisson", ratePerSecond: 1 }, promptTokens: law, outputTokens: law };
  const scheduler = { kind: "hybrid" };
  const config = complete({ workload, service, scheduler, horizon: { tmaxSeconds: 1e6 } });
  const state = new Simulator().begin(config, requestsOf(given), { seed: 1, trial: 1 });
  const { gaps } = state.shared;
  const snapshot = new Snapshot(state.newQueue);
  // As if two had been seen to decode as promised: else they would be composed once more.
  state.replicas[0]!.proven = 2;
  advance(state, asInstant(0));
  snapshot.save(state);
  expect(gaps.count).toBe(0);
  advance(state, NEVER);
  const told = [...gaps.gap.subarray(0, gaps.count)];
  snapshot.restore(state);
  expect(gaps.count).toBe(0);
  advance(state, asInstant(13e6));
  // Both decode: not finished, and what both and what one of them takes is expected already.
  expect([...gaps.gap.subarray(0, gaps.count)]).toEqual(told);
  expect([...gaps.weight.subarray(0, gaps.count)]).toEqual([0, 0]);
});

test("a run that broke off leaves nothing to the next", () => {
  let batches = 0;
  const refuses = plugin("refuses", (_view, batch) => void (++batches < 2 && batch.pack()), {
    decodesAll: () => 64,
  });
  const simulator = new Simulator(withSchedulers(refuses));
  const setting = { service, scheduler: { kind: "refuses" } };
  // The first two decode to their end before the third arrives, and is refused.
  const pair: readonly Row[] = [
    [0, 1, 5],
    [0, 1, 9],
  ];
  expect(() => run([...pair, [1e9, 1, 1]], setting, { simulator, verify: false })).toThrow(PlanError);
  const next = { service, scheduler: { kind: "hybrid" } };
  const after = account(run(pair, next, { simulator, verify: false }));
  expect(after).toEqual(account(run(pair, next)));
});
