/**
 * What an observer is owed: plain records that add up to what the run counted, in order, its own to keep; and that watching
 * changes nothing. LLMSIM_LONG=1 tries more cases.
 */
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { prepare } from "../../src/core/configuration/check-config.js";
import type { PartialConfig, SimulationConfig } from "../../src/core/configuration/config.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import {
  endOfIteration,
  type InstantRecord,
  type Observer,
  type StretchRecord,
} from "../../src/core/engine/observer.js";
import type { Outcome } from "../../src/core/engine/outcome.js";
import { Recorder } from "../../src/core/engine/recorder.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import * as llmsim from "../../src/index.js";
import type { Requests } from "../../src/core/workload/requests.js";
import {
  account,
  conventionsOf,
  crowd,
  memoryEngine,
  requestsOf,
  type Row,
  rows,
  type Setting,
} from "./workloads.js";

const LONG = process.env.LLMSIM_LONG === "1";
const ONE = { kind: "fixed", tokens: 1 };
const POISSON = { arrivals: { kind: "poisson", ratePerSecond: 1 }, promptTokens: ONE, outputTokens: ONE };
const TRIAL = { seed: 1, trial: 1 };

/** Any scheduler on one or several replicas, ahead or not, memory short or not, times that vary or not. */
const settings: fc.Arbitrary<Setting> = fc.constantFrom(...builtIn.schedulers).chain((definition) =>
  fc
    .record({
      limits: memoryEngine,
      // Now and then so short that requests are rejected.
      short: fc.constantFrom(null, null, null, null, null, 128),
      async: fc.boolean(),
      router: fc.constantFrom({ kind: "central" }, { kind: "central" }, { kind: "round-robin" }),
      discipline: fc.constantFrom(
        { kind: "fcfs" },
        { kind: "fcfs" },
        { kind: "sjf" },
        { kind: "priority", classes: [0.5, 0.5] },
      ),
      conventions: conventionsOf(definition),
      scheduler: fc.constantFrom(...definition.examples),
      service: fc.constantFrom(
        { kind: "affine", cMs: 10, aMs: 1 / 3 },
        { kind: "exponential", cMs: 10 },
        { kind: "gpu", hMs: 1, cMs: 9, a1Ms: 0.1, aMs: 0.4, b0: 8, kMs: 0.001, kmMs: 0.002, f: 1.1 },
      ),
    })
    .map(({ limits, short, async, router, discipline, ...rest }) => ({
      engine: { ...limits, kvTokens: short ?? limits.kvTokens, async, router, discipline },
      ...rest,
    })),
);

const configOf = (workload: PartialConfig["workload"], setting: Setting): SimulationConfig =>
  prepare({
    workload,
    service: { kind: "affine", cMs: 10, aMs: 1 },
    scheduler: { kind: "hybrid" },
    horizon: { tmaxSeconds: 5 },
    ...setting,
  });

/** Keeps every record, and what it was when it was told. */
class Keeper implements Observer {
  readonly stretches: StretchRecord[] = [];
  readonly instants: InstantRecord[] = [];
  readonly asTold: string[] = [];

  ended(stretch: StretchRecord): void {
    this.stretches.push(stretch);
    this.asTold.push(JSON.stringify(stretch));
  }

  settled(instant: InstantRecord): void {
    this.instants.push(instant);
    this.asTold.push(JSON.stringify(instant));
  }
}

const sum = <T>(all: readonly T[], of: (one: T) => number): number =>
  all.reduce((total, one) => total + of(one), 0);

/** In order, without overlap, each stretch consistent in itself. */
function expectOrder(stretches: readonly StretchRecord[]): void {
  const lastEnd = new Map<number, number>();
  let told = 0;
  const wrong = stretches.filter((stretch) => {
    const { replica, pool, startAt, endAt, iterations, iterationEnds, decodes, decodeIds } = stretch;
    const ends = Array.from({ length: iterations }, (_, i) => endOfIteration(stretch, i + 1));
    const isRight =
      pool === 0 &&
      startAt >= (lastEnd.get(replica) ?? 0) &&
      endAt >= told &&
      endOfIteration(stretch, 0) === startAt &&
      ends.at(-1) === endAt &&
      ends.every((end, i) => Number.isInteger(end) && end >= (ends[i - 1] ?? startAt)) &&
      (iterationEnds?.length ?? iterations) === iterations &&
      decodeIds.length === decodes &&
      new Set(decodeIds).size === decodes &&
      stretch.decodable >= decodes &&
      (stretch.prefilled.length === 0 || iterations === 1);
    lastEnd.set(replica, endAt);
    told = endAt;
    return !isRight;
  });
  expect(wrong).toEqual([]);
}

/** What each replica counted is what its records sum to. */
function expectTotals(stretches: readonly StretchRecord[], outcome: Outcome): void {
  for (const replica of outcome.replicas) {
    const mine = stretches.filter((stretch) => stretch.replica === replica.index);
    const told = {
      iterations: sum(mine, ({ iterations }) => iterations),
      decodeTokens: sum(mine, ({ iterations, decodes }) => iterations * decodes),
      prefillTokens: sum(mine, ({ iterations, prefillTokens }) => iterations * prefillTokens),
      ofChunks: sum(mine, ({ iterations, chunks }) => iterations * sum(chunks, ({ tokens }) => tokens)),
      preemptions: sum(mine, ({ preempted }) => preempted),
      busyTime: sum(mine, ({ startAt, endAt }) => endAt - startAt),
    };
    const { iterations, decodeTokens, prefillTokens, preemptions, busyTime } = replica;
    const ofChunks = prefillTokens;
    expect(told).toEqual({ iterations, decodeTokens, prefillTokens, ofChunks, preemptions, busyTime });
  }
}

/** What each request was given is what it asked for, and what preemption made it compute again. */
function expectRequests(
  stretches: readonly StretchRecord[],
  { shared, arrived, replicas }: Outcome,
  emits: boolean,
): void {
  const { requests, preemptions, firstTokenAt, finishedAt } = shared.sequences;
  const zeros = (): number[] => Array<number>(arrived).fill(0);
  const [computed, decoded, prefilled, firstPrefill] = [zeros(), zeros(), zeros(), zeros()];
  const finished: number[][] = zeros().map(() => []);
  for (const stretch of stretches) {
    for (const { id, tokens } of stretch.chunks) computed[id]! += stretch.iterations * tokens;
    for (const id of stretch.decodeIds) decoded[id]! += stretch.iterations;
    for (const id of stretch.prefilled) if (++prefilled[id]! === 1) firstPrefill[id] = stretch.endAt;
    for (const id of stretch.finished) finished[id]!.push(stretch.endAt);
  }
  let again = 0;
  const wrong = finished.map((ends, id) => {
    const more = computed[id]! - requests.promptTokens[id]!;
    const output = requests.outputTokens[id]!;
    if (Number.isNaN(finishedAt[id])) return computed[id]! + decoded[id]! + ends.length > 0;
    again += more;
    const tokens = decoded[id]! + (emits && output > 0 ? prefilled[id]! : 0);
    return (
      ((preemptions?.[id] ?? 0) > 0 ? more < 0 : more !== 0) ||
      tokens !== output ||
      String(ends) !== String(finishedAt[id]) ||
      (emits && output > 0 && firstPrefill[id] !== firstTokenAt[id])
    );
  });
  expect(wrong.indexOf(true)).toBe(-1);
  expect(again).toBe(sum(replicas, ({ recomputedTokens }) => recomputedTokens));
}

/** What there was at each instant is what the requests' own instants say. */
function expectInstants(instants: readonly InstantRecord[], outcome: Outcome): void {
  const { shared, arrived, replicas } = outcome;
  const { startedAt, finishedAt } = shared.sequences;
  const isPreempted = replicas.some(({ preemptions }) => preemptions > 0);
  const count = (column: Float64Array, at: number): number =>
    column.subarray(0, arrived).filter((instant) => instant <= at).length;
  const indices = String(replicas.map(({ index }) => index));
  const wrong = instants.filter((instant, i) => {
    const { at } = instant;
    const next = instants[i + 1]?.at;
    // Of an instant that is told again the last holds.
    if (next === at) return false;
    const started = count(startedAt, at);
    const there = started - instant.completed;
    const residents = sum(instant.replicas, (replica) => replica.residents);
    return !(
      (next === undefined || next > at) &&
      String(instant.replicas.map(({ replica, pool }) => replica + pool)) === indices &&
      instant.completed === count(finishedAt, at) &&
      instant.arrived - instant.rejected >= started &&
      (isPreempted ? residents <= there : residents === there)
    );
  });
  expect(wrong).toEqual([]);
  const last = instants.at(-1)!;
  expect([last.arrived, last.completed, last.rejected]).toEqual([arrived, shared.completed, shared.rejected]);
  for (const { residents, blocks } of last.replicas) expect([residents, blocks ?? 0]).toEqual([0, 0]);
}

/** How often the cases went where records may go wrong. */
const met = { stretches: 0, varying: 0, preempted: 0, ahead: 0, replicas: 0, rejected: 0 };

/** One run, watched, against all that it owes. */
function expectLaws(config: SimulationConfig, requests: () => Requests, simulator = new Simulator()): void {
  const unobserved = account({ outcome: simulator.run(config, requests(), TRIAL) });
  const keeper = new Keeper();
  const outcome = simulator.run(config, requests(), { ...TRIAL, observer: keeper });
  const { stretches, instants } = keeper;
  expect(account({ outcome })).toEqual(unobserved);
  expectOrder(stretches);
  expectTotals(stretches, outcome);
  expectRequests(stretches, outcome, config.conventions.firstToken === "prefill");
  expectInstants(instants, outcome);
  met.stretches += sum(stretches, ({ iterations }) => Number(iterations > 1));
  met.varying += sum(stretches, ({ iterationEnds }) => Number(iterationEnds !== null));
  met.preempted += sum(stretches, ({ preempted }) => preempted);
  met.ahead += sum(stretches, ({ startAt }) => Number(config.engine.async === true && startAt > 0));
  met.replicas += Number(outcome.replicas.length > 1);
  met.rejected += outcome.shared.rejected;
}

const fewer = (inLongMode: number): { numRuns: number } => ({
  numRuns: LONG ? inLongMode : Math.ceil(0.1 * inLongMode),
});

describe("records add up to the run, in order, and watching changes nothing", () => {
  test("in an open system", () => {
    fc.assert(
      fc.property(fc.oneof(rows, crowd), settings, (rows, setting) => {
        expectLaws(configOf(POISSON, setting), () => requestsOf(rows));
      }),
      fewer(1500),
    );
    // Cases that records may go wrong in were among them.
    for (const [what, count] of Object.entries(met)) expect(count, what).toBeGreaterThan(0);
  });

  test("in a closed loop", () => {
    const loops = fc.record({
      clients: fc.integer({ min: 1, max: 12 }),
      thinkSeconds: fc.constantFrom(0.01, 0.2, 2),
      output: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(loops, settings, ({ clients, thinkSeconds, output }, setting) => {
        const config = configOf(
          {
            arrivals: { kind: "closed", clients, thinkSeconds },
            promptTokens: { kind: "uniform", min: 1, max: 60 },
            outputTokens: { kind: "uniform", min: 0, max: output },
          },
          setting,
        );
        const simulator = new Simulator();
        expectLaws(config, () => simulator.draw(config, 1, 1), simulator);
      }),
      fewer(500),
    );
  });
});

describe("docs/observing.md", () => {
  const page = readFileSync(new URL("../../docs/observing.md", import.meta.url), "utf8");

  test("has an example that runs as it stands", () => {
    const code = /^```js\n(.*?)^```$/ms
      .exec(page)![1]!
      .replace(/^import (.*) from "llmsim";/, "const $1 = llmsim;");
    const said: string[] = [];
    const console = { log: (line: string) => said.push(line) };
    runInNewContext(code, { llmsim, console });
    expect(said).toEqual(["the longest iteration took 35.6 ms; at most 5 requests ran at once"]);
  });

  test("tells every field of every record", () => {
    const keeper = new Keeper();
    new Simulator().run(configOf(POISSON, {}), requestsOf([[0, 5, 3]]), { ...TRIAL, observer: keeper });
    const [stretch, instant] = [keeper.stretches[0]!, keeper.instants[0]!];
    const fields = [stretch, stretch.chunks[0]!, instant, instant.replicas[0]!].flatMap(Object.keys);
    for (const field of fields) expect(page).toMatch(new RegExp(`[\`\\s]${field}[\`,\\s]`));
  });
});

describe("a listener", () => {
  const example: Row[] = Array.from({ length: 20 }, (_, i): Row => [i * 4e6, 10 + i, 5 + (i % 30)]);
  const config = configOf(POISSON, {
    scheduler: { kind: "vllm" },
    engine: { maxTokens: 40, maxSequences: 8, kvTokens: 256, replicas: 2, async: true },
  });
  const runWith = (observer?: Observer): object =>
    account({
      outcome: new Simulator().run(config, requestsOf(example), { ...TRIAL, ...(observer && { observer }) }),
    });

  test("keeps what it was told: no record changes afterwards, whatever runs next", () => {
    const simulator = new Simulator();
    const keeper = new Keeper();
    simulator.run(config, requestsOf(example), { ...TRIAL, observer: keeper });
    simulator.run(config, requestsOf(example.slice(3)), { ...TRIAL, observer: new Keeper() });
    const kept = [...keeper.stretches, ...keeper.instants].map((record) => JSON.stringify(record));
    expect(kept.sort()).toEqual(keeper.asTold.sort());
    expect(kept.length).toBeGreaterThan(100);
  });

  test("is told plain data: numbers, null, and lists and records of them", () => {
    const keeper = new Keeper();
    runWith(keeper);
    for (const record of [...keeper.stretches, ...keeper.instants])
      expect(structuredClone(record)).toStrictEqual(JSON.parse(JSON.stringify(record)));
  });

  test("may do to its records what it likes: the run goes on as it was", () => {
    const ruin = (record: object): void => {
      for (const [key, value] of Object.entries(record)) {
        if (value !== null && typeof value === "object") ruin(value as object);
        (record as Record<string, unknown>)[key] = -1;
      }
    };
    expect(runWith({ ended: ruin, settled: ruin })).toEqual(runWith());
  });

  test("may leave out either half, and hears the other as it is", () => {
    const [whole, half, other] = [new Keeper(), new Keeper(), new Keeper()];
    runWith(whole);
    runWith({ ended: (stretch) => half.ended(stretch) });
    runWith({ settled: (instant) => other.settled(instant) });
    expect([half.stretches, other.instants]).toEqual([whole.stretches, whole.instants]);
    runWith({});
  });

  test("where nobody is, nothing is recorded", () => {
    const [began, ended, settled] = (["began", "ended", "settled"] as const).map((hook) =>
      vi.spyOn(Recorder.prototype, hook),
    );
    runWith();
    for (const hook of [began, ended, settled]) expect(hook).not.toHaveBeenCalled();
    runWith(new Keeper());
    for (const hook of [began, ended, settled]) expect(hook).toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});
