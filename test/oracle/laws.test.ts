/**
 * Laws that hold in any configuration, with memory, preemption and asynchronous scheduling: on random ones, small
 * enough that memory runs out. What each request computed is added up again from the iterations alone.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { kvOf, MS, run, type Row } from "./running.js";

const small = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
const prompt = fc.oneof(small(5), small(60), fc.constantFrom(15, 16, 17, 31, 32, 33, 48));
const row = fc.tuple(
  fc.oneof(small(20, 0), small(300, 0)),
  prompt,
  fc.oneof(small(3, 0), small(70, 0)),
  fc.oneof(fc.constant(0), small(64)),
);
const anyCase = fc.record({
  rows: fc.array(row, { minLength: 1, maxLength: 14 }),
  scheduler: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ kind: "vllm" as const }) },
    fc.constantFrom(
      { kind: "decode-prioritizing" as const },
      { kind: "prefill-prioritizing" as const },
      { kind: "hybrid" as const, ratio: 0.5, ratioOf: "sequences" as const },
      { kind: "hybrid" as const, ratio: 0.3, ratioOf: "tokens" as const },
    ),
  ),
  engine: fc.record({
    maxTokens: fc.oneof(small(16), small(100), fc.constant(2048), fc.constant(2048)),
    maxSequences: fc.oneof(small(4), fc.constant(100), fc.constant(100)),
    chunkSize: fc.option(fc.oneof(small(8), small(40))),
    replicas: fc.constantFrom(1, 1, 1, 2),
    kvTokens: fc.oneof({ weight: 5, arbitrary: small(14, 3).map(kvOf) }, fc.constant(null)),
    async: fc.boolean(),
  }),
  service: fc.record({ cMs: small(3), aMs: small(2, 0), b0: small(6, 0) }),
  free: fc.record({
    firstToken: fc.constantFrom("prefill" as const, "decode" as const),
    mixedBatch: fc.constantFrom("sum" as const, "max" as const),
    sequenceCap: fc.constantFrom("resident" as const, "iteration" as const),
  }),
});
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

it("tokens close, memory is never exceeded, every gap belongs to one request", () => {
  /** In how many cases. */
  let preempted = 0;
  let survived = 0;
  fc.assert(
    fc.property(anyCase, ({ rows, scheduler, engine, service, free }) => {
      rows.sort((a, b) => a[0] - b[0]);
      const conventions = scheduler.kind === "vllm" ? {} : free;
      const output = run(rows as Row[], { scheduler, engine, service, conventions });
      const { requests, iterations } = output;
      if (output.preemptions > 0) preempted++;
      if (output.survivorTokens > 0) survived++;

      // Every token computed is part of a request's last cache, or was lost; hits and survivors were not computed.
      const emitsAtEnd = scheduler.kind === "vllm" || free.firstToken === "prefill";
      const kept = requests.map(({ rejected, promptTokens, outputTokens }) => {
        return rejected ? 0 : promptTokens + Math.max(0, outputTokens - (emitsAtEnd ? 1 : 0));
      });
      expect(output.prefillTokens + output.decodeTokens).toBe(
        sum(kept) + output.lostTokens - output.prefixHitTokens - output.survivorTokens,
      );
      requests.forEach(({ startedAt, rejected }, id) => {
        if (!rejected) expect(startedAt).toBeGreaterThanOrEqual(rows[id]![0] * MS);
      });
      expect(output.preemptions).toBe(sum(requests.map(({ preemptedAt }) => preemptedAt.length)));
      expect(output.busyTime).toBe(sum(iterations.map(({ startAt, endAt }) => endAt - startAt)));

      const usable = engine.kvTokens === null ? Infinity : Math.floor(engine.kvTokens / 16) - 1;
      requests.forEach(({ rejected, promptTokens, outputTokens, tokenAt, finishedAt }) => {
        const most = promptTokens + Math.max(0, outputTokens - (emitsAtEnd ? 1 : 0));
        expect(rejected).toBe(Math.ceil(most / 16) > usable);
        if (rejected) return;
        expect(tokenAt).toHaveLength(outputTokens);
        expect(tokenAt.every((at, i) => i === 0 || at > tokenAt[i - 1]!)).toBe(true);
        if (outputTokens > 0) expect(tokenAt.at(-1)).toBe(finishedAt);
      });

      for (let replica = 0; replica < engine.replicas; replica++) {
        const own = iterations.filter((iteration) => iteration.replica === replica);
        const wrong = own.filter(({ composedAt, startAt, prefill, decode, sumKv }, index) => {
          const [running, queued] = [own[index - 2], own[index - 1]];
          // It begins when the one before ends, or when it is composed.
          const isInTurn = startAt === Math.max(composedAt, queued?.endAt ?? 0);
          // Composed when the last but one ended; from idle, alone or behind another; else at its start.
          const isFromIdle = composedAt >= (queued?.endAt ?? 0);
          const isAhead = composedAt === running?.endAt || composedAt === queued?.composedAt;
          // Everything computed for those in a batch is in blocks of theirs.
          const cached = prefill.map((chunk) => chunk.cached + chunk.tokens);
          const hasRoom = sum(cached) + sumKv + decode.length <= 16 * usable;
          return !isInTurn || !(isFromIdle || (engine.async && isAhead)) || !hasRoom;
        });
        expect(wrong).toEqual([]);
      }
      const until = Math.max(0, ...iterations.map(({ endAt }) => endAt));
      if (usable < Infinity) expect(output.kvBlockTime).toBeLessThanOrEqual(usable * until * engine.replicas);
    }),
    { numRuns: 300 },
  );
  // The cases are worth something: memory ran out, and blocks survived. That fewer did by chance has this probability:
  expect(preempted).toBeGreaterThan(10); // 18 % of the cases: 1e-13
  expect(survived).toBeGreaterThan(5); // 13 %: 2e-11
});
