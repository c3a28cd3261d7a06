/**
 * What every source of events owes the loop (state/event-source.ts), and what the loop owes a source: how many sources
 * bring the requests does not matter, and one that only looks in changes nothing.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { prepare } from "../../src/core/configuration/check-config.js";
import type { PartialConfig } from "../../src/core/configuration/config.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import { follow } from "../../src/core/engine/arrivals.js";
import { advance, type State } from "../../src/core/engine/loop.js";
import { NEVER, asInstant, type Instant } from "../../src/core/numbers/units.js";
import type { EventSource } from "../../src/core/state/event-source.js";
import { outcomeOf, Simulator } from "../../src/core/trial/simulate.js";
import { account, memoryEngine, requestsOf, rows, runsUnder, type Row } from "./workloads.js";

const TRIAL = { seed: 1, trial: 1 };

const configured = (more: Partial<PartialConfig>): PartialConfig => ({
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 5 },
    promptTokens: { kind: "uniform", min: 1, max: 60 },
    outputTokens: { kind: "geometric", p: 0.1 },
  },
  service: { kind: "affine", cMs: 10, aMs: 1 },
  scheduler: { kind: "vllm" },
  horizon: { tmaxSeconds: 20 },
  ...more,
});

describe.each([
  ["rows in order", configured({})],
  [
    "clients of a closed loop",
    configured({
      workload: { ...configured({}).workload, arrivals: { kind: "closed", clients: 5, thinkSeconds: 0.3 } },
    }),
  ],
  [
    "a stream with a cap",
    configured({
      workload: {
        ...configured({}).workload,
        arrivals: { kind: "poisson", ratePerSecond: 40 },
        maxConcurrency: 3,
      },
    }),
  ],
])("%s", (_, given) => {
  test("tells its next event, never one that is over; a request comes with a row, and rows are in order", () => {
    const config = prepare(given);
    const simulator = new Simulator();
    const requests = simulator.draw(config, 1, 1);
    const state = simulator.begin(config, requests, TRIAL);
    const { shared } = state;
    const [source, ...others] = shared.sources;
    expect(others).toEqual([]);
    let events = 0;
    follow(shared, [
      {
        get nextAt() {
          // Asked twice, it says the same.
          const { nextAt } = source;
          expect(source.nextAt).toBe(nextAt);
          expect(nextAt).toBeGreaterThanOrEqual(shared.now);
          return nextAt;
        },
        happen() {
          events++;
          const at = source.nextAt;
          expect(at).toBe(shared.now);
          const row = shared.arrived;
          expect(source.happen()).toBe(true);
          expect(requests.count).toBeGreaterThan(row);
          expect(requests.arrivedAt[row]).toBe(at);
          return true;
        },
        answered: (id, now) => source.answered?.(id, now),
      },
    ]);
    advance(state, NEVER);
    const seen = account({ outcome: outcomeOf(state) });
    expect(events).toBe(requests.count);
    expect(events).toBeGreaterThan(50);
    const again = simulator.begin(config, simulator.draw(config, 1, 1), TRIAL);
    advance(again, NEVER);
    expect(account({ outcome: outcomeOf(again) })).toEqual(seen);
  });
});

/** Brings those rows of a table whose number it is told to. */
class Some implements EventSource {
  constructor(
    private readonly state: State,
    private readonly brings: (row: number) => boolean,
  ) {}

  get nextAt(): Instant {
    const { arrived, overhead, sequences } = this.state.shared;
    const { arrivedAt, count } = sequences.requests;
    // The other source's rows come before its own.
    for (let row = arrived; row < count; row++)
      if (this.brings(row)) return asInstant(arrivedAt[row] + overhead);
    return NEVER;
  }

  happen(): true {
    return true;
  }
}

/** Happens at instants of its own, and brings nothing. */
class Clock implements EventSource {
  ticks = 0;

  constructor(private readonly every: number) {}

  get nextAt(): Instant {
    return asInstant(this.ticks < 300 ? (this.ticks + 1) * this.every : NEVER);
  }

  happen(): false {
    this.ticks++;
    return false;
  }
}

const fleets = fc.record({
  limits: memoryEngine,
  replicas: fc.integer({ min: 1, max: 3 }),
  async: fc.boolean(),
});
const routers = fc.constantFrom(...builtIn.routers.flatMap(({ examples }) => examples));
const schedulers = fc.constantFrom(
  ...builtIn.schedulers.filter((one) => runsUnder(one, prepare(configured({})).conventions)),
);

/** The account of a run of `rows` with sources made for it. */
function runOf(
  rows: readonly Row[],
  given: PartialConfig,
  make: (state: State) => readonly EventSource[],
): object {
  const simulator = new Simulator();
  const state = simulator.begin(prepare(given), requestsOf(rows), TRIAL);
  follow(state.shared, make(state));
  advance(state, NEVER);
  return account({ outcome: outcomeOf(state) });
}

describe("several sources", () => {
  const cases = [rows, fleets, routers, schedulers] as const;
  const settingOf = (
    { limits, replicas, async }: typeof fleets extends fc.Arbitrary<infer F> ? F : never,
    router: { readonly kind: string },
    scheduler: string,
  ): PartialConfig =>
    configured({ engine: { ...limits, replicas, async, router }, scheduler: { kind: scheduler } });

  test("that share the requests bring what one does", () => {
    fc.assert(
      fc.property(...cases, fc.integer({ min: 2, max: 4 }), (rows, fleet, router, { name }, parts) => {
        const setting = settingOf(fleet, router, name);
        const one = runOf(rows, setting, ({ shared }) => shared.sources);
        const shared = (state: State): EventSource[] =>
          Array.from({ length: parts }, (_, part) => new Some(state, (row) => row % parts === part));
        expect(runOf(rows, setting, shared)).toEqual(one);
      }),
    );
  });

  test("one of which only looks in: nothing changes", () => {
    fc.assert(
      fc.property(...cases, fc.integer({ min: 1, max: 40 }), (rows, fleet, router, { name }, ms) => {
        const setting = settingOf(fleet, router, name);
        const clock = new Clock(ms * 1e6);
        const alone = runOf(rows, setting, ({ shared }) => shared.sources);
        expect(runOf(rows, setting, ({ shared }) => [...shared.sources, clock])).toEqual(alone);
        expect(clock.ticks).toBe(300);
      }),
    );
  });
});
