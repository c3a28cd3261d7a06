/**
 * The laws of theory §1 watch every run; here each is shown to see what it is for: a run is let go wrong in one
 * quantity, and the law that names it must stop it.
 */
import { describe, expect, test } from "vitest";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { SimulationConfig } from "../../../src/core/configuration/config.js";
import type { DisciplineDefinition } from "../../../src/core/policies/discipline.js";
import { InvariantError } from "../../../src/core/errors.js";
import { checkTotals, Invariants } from "../../../src/core/measures/invariants.js";
import { builtIn, type Registry } from "../../../src/core/configuration/registry.js";
import type { ScheduledBatch } from "../../../src/core/state/scheduled-batch.js";
import type { Replica } from "../../../src/core/state/replica.js";
import type { TrialState } from "../../../src/core/state/trial-state.js";
import type { Outcome } from "../../../src/core/engine/outcome.js";
import { Tally } from "../../../src/core/measures/tally.js";
import { NEVER, asInstant } from "../../../src/core/numbers/units.js";
import { inspected } from "../../inspected.js";
import { requestsOf, type Row, run, type Setting } from "../../contract/workloads.js";

/** Six requests of which the last two come late; b = 0 knee and `sum`, so that busy time has its law. */
const six: Row[] = [
  [0, 30, 4],
  [0, 30, 3],
  [0, 5, 0],
  [1e6, 40, 6],
  [400e6, 8, 2],
  [400e6, 8, 1],
];
const configOf = (setting: Setting = {}): SimulationConfig =>
  prepare({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 1 },
      promptTokens: { kind: "fixed", tokens: 1 },
      outputTokens: { kind: "fixed", tokens: 1 },
    },
    service: { kind: "affine", cMs: 10, aMs: 1 },
    scheduler: { kind: "hybrid" },
    engine: { maxTokens: 40, maxSequences: 3, chunkSize: 16 },
    ...setting,
  });

type Moment = "began" | "ended" | "settled";
/** What may be tampered with: plain mutable fields of what the laws look at. */
interface Seen {
  replica: Replica;
  shared: { -readonly [K in keyof TrialState]: TrialState[K] };
}
type Tamper = (seen: Seen) => void;

/** Runs six requests with the laws watching, and just before the n-th `moment` changes what they see. */
function watched(moment: Moment | undefined, tamper: Tamper, n = 2, setting: Setting = {}): () => Outcome {
  return () => {
    const config = configOf(setting);
    const laws = new Invariants(config);
    let count = 0;
    const at = (what: Moment, replica: Replica, shared: TrialState): void => {
      if (what === moment && ++count === n) tamper({ replica, shared });
    };
    const outcome = inspected(config, requestsOf(six), {
      began(replica, scheduled, shared) {
        at("began", replica, shared);
        laws.began(replica, scheduled, shared);
      },
      ended(replica, shared) {
        at("ended", replica, shared);
        laws.ended(replica, shared);
      },
      settled(replicas, shared) {
        at("settled", replicas[0], shared);
        laws.settled(replicas, shared);
      },
    });
    if (moment === undefined) tamper({ replica: outcome.replicas[0], shared: outcome.shared });
    const tally = new Tally(outcome.shared, config.conventions.tbt);
    tally.count(outcome, NEVER);
    checkTotals(config, outcome, tally);
    laws.finish(outcome);
    return outcome;
  };
}

test("left alone, the run obeys them all", () => {
  expect(watched("began", () => {})().arrived).toBe(6);
});

describe("while it runs", () => {
  const cases: [string, Moment, Tamper, RegExp][] = [
    [
      "an empty batch",
      "began",
      ({ replica: { scheduled } }) => (scheduled.decodes = scheduled.prefillTokens = 0),
      /^a batch of 0 tokens$/,
    ],
    [
      "a batch over the budget",
      "began",
      ({ replica: { scheduled } }) => (scheduled.prefillTokens = 41 - scheduled.decodes),
      /^a batch of 41 tokens$/,
    ],
    [
      "too many sequences",
      "began",
      ({ replica: { scheduled } }) => (scheduled.decodes = 3),
      /^3 decodes and [1-3] chunks in one iteration$/,
    ],
    ["too many residents", "began", ({ replica }) => (replica.resident = 4), /^4 residents$/],
    [
      "a chunk over the chunk size",
      "began",
      ({ replica: { scheduled } }) => (scheduled.chunkTokens[0] = 17),
      /^a chunk of 17 tokens$/,
    ],
    [
      "an end before the beginning",
      "began",
      ({ replica: { scheduled }, shared }) => (scheduled.endAt = asInstant(shared.now - 1)),
      /^an iteration that ends at \d+$/,
    ],
    [
      "no iteration at all",
      "began",
      ({ replica: { scheduled } }) => (scheduled.iterations = 0),
      /^an iteration that ends at \d+$/,
    ],
    [
      "a start before the arrival",
      "began",
      ({ replica: { scheduled }, shared }) =>
        (shared.sequences.requests.arrivedAt[scheduled.chunkId[0]] = shared.now + 1),
      /^request \d started before it arrived$/,
    ],
    [
      "the clock going back, at a beginning",
      "began",
      ({ shared }) => (shared.now = asInstant(-1)),
      /^the clock went back from \d+ to -1$/,
    ],
    [
      "the clock going back, at an end",
      "ended",
      ({ shared }) => (shared.now = asInstant(-1)),
      /^the clock went back from \d+ to -1$/,
    ],
    [
      "the clock going back, in between",
      "settled",
      ({ shared }) => (shared.now = asInstant(-1)),
      /^the clock went back from \d+ to -1$/,
    ],
    [
      "idle while its own work waits",
      "settled",
      ({ replica: { scheduled } }) => (scheduled.endAt = NEVER),
      /^replica 0 idle while work waits$/,
    ],
  ];
  test.each(cases)("%s", (_, moment, tamper, message) => {
    expect(watched(moment, tamper)).toThrow(InvariantError);
    expect(watched(moment, tamper)).toThrow(message);
  });

  test("idle while unstarted prompts wait, though none is resident", () => {
    const tamper: Tamper = ({ replica }) => {
      replica.resident = 0;
      replica.scheduled.endAt = NEVER;
      replica.waiting.pushBack(0);
    };
    expect(watched("settled", tamper, 1)).toThrow(/^replica 0 idle while work waits$/);
  });

  test("more residents than the cap are lawful under `sequenceCap: iteration`", () => {
    const config = configOf({
      scheduler: { kind: "prefill-prioritizing" },
      engine: { maxSequences: 1 },
      conventions: { sequenceCap: "iteration" },
    });
    const laws = new Invariants(config);
    let most = 0;
    inspected(config, requestsOf(six), {
      began(replica: Replica, scheduled: ScheduledBatch, shared: TrialState): void {
        most = Math.max(most, replica.resident);
        laws.began(replica, scheduled, shared);
      },
    });
    expect(most).toBe(3);
  });
});

describe("when it is over", () => {
  const late = 900e6;
  const cases: [string, Tamper, RegExp][] = [
    [
      "a completion too few",
      ({ shared }) => shared.completed--,
      /^arrived = completed \+ rejected \+ in system: counted 5, expected 6$/,
    ],
    [
      "a prompt token too many",
      ({ replica }) => replica.prefillTokens++,
      /^prefill tokens: counted 122, expected 121$/,
    ],
    ["a decode too few", ({ replica }) => replica.decodeTokens--, /^decode tokens: counted 10, expected 11$/],
    [
      "a gap too many",
      ({ shared }) => shared.gaps.add(1, 1),
      /^inter-token latencies: counted 12, expected 11$/,
    ],
    ["somebody left", ({ replica }) => replica.resident++, /^residents at the end: counted 1, expected 0$/],
    [
      "started before it arrived",
      ({ shared: { sequences } }) => (sequences.startedAt[4] = 399e6),
      /^request 4: its instants/,
    ],
    [
      "never started",
      ({ shared: { sequences } }) => (sequences.startedAt[4] = NaN),
      /^request 4: its instants/,
    ],
    [
      "finished before it started",
      ({ shared: { sequences } }) => (sequences.finishedAt[2] = -1),
      /^request 2: its instants/,
    ],
    [
      "a token before it started",
      ({ shared: { sequences } }) => (sequences.firstTokenAt[4] = 1),
      /^request 4: its instants/,
    ],
    [
      "a token after it finished",
      ({ shared: { sequences } }) => (sequences.firstTokenAt[0] = late),
      /^request 0: its instants/,
    ],
    [
      "a token that nobody asked for",
      ({ shared: { sequences } }) => (sequences.firstTokenAt[2] = 50e6),
      /^request 2: its instants/,
    ],
    [
      "no token",
      ({ shared: { sequences } }) => (sequences.firstTokenAt[0] = NaN),
      /^request 0: its instants/,
    ],
    [
      "an overtaking",
      ({ shared: { sequences } }) => (sequences.startedAt[3] = 0),
      /^request 3: its instants|^request 3 started before request 2$/,
    ],
    [
      "a response too long",
      ({ shared: { sequences } }) => (sequences.finishedAt[5] = late),
      /^the area under N\(t\) is \d+, the responses sum to \d+$/,
    ],
  ];
  test.each(cases)("%s", (_, tamper, message) => {
    expect(watched(undefined, tamper)).toThrow(InvariantError);
    expect(watched(undefined, tamper)).toThrow(message);
  });

  test("first come, first served: nobody starts before one who came earlier", () => {
    const overtaken: Tamper = ({ shared: { sequences } }) => {
      sequences.startedAt[1] = sequences.startedAt[2] + 1;
      sequences.firstTokenAt[1] = sequences.finishedAt[1]!;
    };
    expect(watched(undefined, overtaken)).toThrow(/^request 2 started before request 1$/);
  });

  test("busy time = c·iterations + a·tokens, where that holds (b0 = 0, sum)", () => {
    const shorter: Tamper = ({ replica: { scheduled } }) => {
      scheduled.startAt = asInstant(scheduled.startAt + 1000);
    };
    expect(watched("ended", shorter)).toThrow(/^busy time \d+ ns, but the batches cost \d+ ns$/);
    const tokens: Tamper = ({ replica: { scheduled } }) => {
      scheduled.iterations++;
    };
    expect(watched("ended", tokens, 3)).toThrow(/prefill tokens|decode tokens|busy time/);
    for (const setting of [
      { service: { kind: "affine", cMs: 10, aMs: 1, b0: 1 } },
      { conventions: { mixedBatch: "max" as const } },
      { service: { kind: "exponential", cMs: 10 } },
    ])
      expect(watched("ended", shorter, 2, setting)().arrived).toBe(6);
  });
});

describe("the loop's own law: every request is completed", () => {
  const discipline = (name: string, take: (ids: number[]) => number): DisciplineDefinition => ({
    name,
    summary: "a user's order",
    source: "test",
    options: [],
    examples: [{ kind: name }],
    create: () => {
      const ids: number[] = [];
      return {
        get length() {
          return ids.length;
        },
        get first() {
          return ids.at(-1)!;
        },
        pushBack: (id) => void ids.push(id),
        popFront: () => take(ids),
        clear: () => void (ids.length = 0),
        at: (i) => ids[i],
        copyInto: (target) => {
          target.clear();
          for (const id of ids) target.pushBack(id);
        },
      };
    },
  });
  const lifo = discipline("lifo", (ids) => ids.pop()!);
  const leaky = discipline("leaky", (ids) => {
    const id = ids.pop()!;
    ids.pop();
    return id;
  });
  const registry: Registry = { ...builtIn, disciplines: [...builtIn.disciplines, lifo, leaky] };
  const engine = (kind: string): Setting => ({
    engine: { maxTokens: 40, maxSequences: 3, chunkSize: 16, discipline: { kind } },
  });

  test("a discipline that loses prompts is found out", () => {
    expect(() => run(six, engine("leaky"), { registry })).toThrow(InvariantError);
    expect(() => run(six, engine("leaky"), { registry })).toThrow(/^\d of 6 requests were never completed$/);
  });

  test("one that does not serve in order of arrival is lawful: only fcfs promises that", () => {
    const { outcome, metrics } = run(six, engine("lifo"), { registry });
    expect(metrics.n_completed).toBe(6);
    const { startedAt } = outcome.shared.sequences;
    expect(startedAt[0]).toBeGreaterThanOrEqual(startedAt[2]);
  });
});
