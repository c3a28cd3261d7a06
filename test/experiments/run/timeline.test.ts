/** `--timeline`: a Chrome trace of what the engine did, every iteration and every request, and nothing twice. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { complete, type SimulationConfig } from "../../../src/core/configuration/config.js";
import { simulate } from "../../../src/core/trial/simulate.js";
import { requestFile } from "../../../src/experiments/run/request-rows.js";
import { timelineFile } from "../../../src/experiments/run/timeline.js";

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Nanoseconds of the format's microseconds. */
const ns = (us: number | undefined): number => Math.round(us! * 1000);

const SEED = 3;
async function eventsOf(configs: readonly SimulationConfig[], most = 1e6): Promise<TraceEvent[]> {
  const { file } = await timelineFile("t.json", configs, SEED, most, {});
  return (JSON.parse([...file.text].join("")) as { traceEvents: TraceEvent[] }).traceEvents;
}

const configs: fc.Arbitrary<SimulationConfig> = fc
  .record({
    rate: fc.constantFrom(1, 5, 30),
    scheduler: fc.constantFrom(
      { kind: "decode-prioritizing" },
      { kind: "prefill-prioritizing" },
      { kind: "hybrid", ratio: 0.4 },
      { kind: "sarathi" },
      { kind: "vllm" },
    ),
    engine: fc.record({
      maxTokens: fc.constantFrom(7, 64, 2048),
      maxSequences: fc.constantFrom(1, 5, 100),
      chunkSize: fc.constantFrom(null, 10),
      replicas: fc.constantFrom(1, 1, 3),
      kvTokens: fc.constantFrom(null, null, 160),
      async: fc.constantFrom(null, true, false),
      router: fc.constantFrom({ kind: "central" }, { kind: "round-robin" }),
      discipline: fc.constantFrom({ kind: "fcfs" }, { kind: "sjf" }),
    }),
    service: fc.constantFrom(
      { kind: "affine", cMs: 10, aMs: 1 / 3 },
      { kind: "exponential", cMs: 10 },
      { kind: "gpu", hMs: 1, cMs: 9, a1Ms: 0.1, aMs: 0.4, b0: 8, kMs: 0.001, kmMs: 0.002, f: 1.1 },
    ),
    most: fc.integer({ min: 0, max: 30 }),
  })
  .map(({ rate, most, ...rest }) =>
    complete({
      workload: {
        arrivals: { kind: "poisson", ratePerSecond: rate },
        promptTokens: { kind: "uniform", min: 1, max: 60 },
        outputTokens: { kind: "uniform", min: 0, max: most },
      },
      horizon: { tmaxSeconds: 5 },
      ...rest,
    }),
  );

/** Complete events by track, in order of time. */
function tracksOf(events: readonly TraceEvent[]): TraceEvent[][] {
  const tracks = new Map<string, TraceEvent[]>();
  for (const event of events.filter(({ ph }) => ph === "X")) {
    const key = `${event.pid}/${event.tid}`;
    const track = tracks.get(key);
    if (track) track.push(event);
    else tracks.set(key, [event]);
  }
  return [...tracks.values()].map((track) => track.sort((a, b) => a.ts! - b.ts!));
}

/** The steps of a counter's series; several at one instant are the last. */
function stepsOf(events: readonly TraceEvent[], name: string, series: string): Map<number, number> {
  const steps = new Map<number, number>();
  for (const event of events.filter((event) => event.ph === "C" && event.name === name))
    steps.set(ns(event.ts), event.args![series] as number);
  return steps;
}

/** By request: its spans, in order of time. */
function spansOf(
  events: readonly TraceEvent[],
): Map<string, { name: string; from: number; until: number }[]> {
  const spans = new Map<string, { name: string; from: number; until: number }[]>();
  const ends = new Map<string, TraceEvent>();
  for (const event of events.filter(({ ph }) => ph === "e")) {
    if (ends.has(`${event.id} ${event.name}`)) throw new Error(`${event.name} of ${event.id} ends twice`);
    ends.set(`${event.id} ${event.name}`, event);
  }
  for (const event of events.filter(({ ph }) => ph === "b")) {
    const end = ends.get(`${event.id} ${event.name}`)!;
    ends.delete(`${event.id} ${event.name}`);
    const mine = spans.get(event.id!) ?? [];
    spans.set(event.id!, [...mine, { name: event.name, from: ns(event.ts), until: ns(end.ts) }]);
  }
  expect(ends.size).toBe(0);
  return spans;
}

function expectNoOverlap(events: readonly TraceEvent[]): void {
  for (const track of tracksOf(events)) {
    const over = track.filter(({ ts }, i) => i > 0 && ns(ts) < ns(track[i - 1].ts) + ns(track[i - 1].dur));
    expect(over).toEqual([]);
  }
}

/** waiting, prefill, decode: each where the one before it ends, all inside the request. */
function expectPhases(events: readonly TraceEvent[]): void {
  const wrong = [...spansOf(events)].filter(([id, [whole, ...phases]]) => {
    const names = ["waiting", "prefill", "decode"].slice(0, phases.length);
    const fits =
      whole.name === `request ${id.split(".")[1]}` &&
      phases.length >= 1 &&
      phases.every(({ name, from, until }, i) => {
        const before = i > 0 ? phases[i - 1].until : whole.from;
        return name === names[i] && from === before && until >= from;
      }) &&
      phases.at(-1)!.until === whole.until;
    return !fits;
  });
  expect(wrong).toEqual([]);
}

test("every iteration once, none over another; every request by phase; counters that add up", async () => {
  await fc.assert(
    fc.asyncProperty(configs, async (config) => {
      const events = await eventsOf([config]);
      const { outcome } = simulate(config, { seed: SEED, trial: 1 });
      const { sequences, rejected } = outcome.shared;
      expectNoOverlap(events);
      expectPhases(events);
      const iterations = events.filter(({ ph }) => ph === "X");
      const total = (of: (replica: (typeof outcome.replicas)[number]) => number): number =>
        outcome.replicas.reduce((sum, replica) => sum + of(replica), 0);
      const sum = (key: string): number =>
        iterations.reduce((all, { args }) => all + (args![key] as number), 0);
      expect(iterations).toHaveLength(total((replica) => replica.iterations));
      expect(sum("decodes")).toBe(total((replica) => replica.decodeTokens));
      expect(sum("prefillTokens")).toBe(total((replica) => replica.prefillTokens));
      const busy = iterations.reduce((all, { dur }) => all + ns(dur), 0);
      expect(busy).toBe(total((replica) => replica.busyTime));

      const spans = spansOf(events);
      expect(spans.size).toBe(outcome.arrived - rejected);
      const misplaced = [...spans].filter(([id, [whole, waiting]]) => {
        const row = Number(id.split(".")[1]);
        return waiting.until !== sequences.startedAt[row] || whole.until !== sequences.finishedAt[row];
      });
      expect(misplaced).toEqual([]);
      // The queue between two instants is who has come and not started.
      for (const [at, waiting] of stepsOf(events, "queue", "waiting")) {
        let known = 0;
        for (let id = 0; id < outcome.arrived; id++)
          if (sequences.requests.arrivedAt[id] <= at && sequences.startedAt[id] > at) known++;
        expect(waiting).toBe(known);
      }
      // All counters end at nothing.
      const last = new Map<string, number>();
      for (const { name, args, ph } of events)
        if (ph === "C" && !name.startsWith("KV blocks"))
          for (const [series, value] of Object.entries(args!)) last.set(`${name}/${series}`, value as number);
      for (const [name, value] of last) expect([name, value]).toEqual([name, 0]);
    }),
    { numRuns: 40 },
  );
});

describe("the format", () => {
  const two = ["sarathi", "orca"].map((kind) =>
    complete({
      workload: {
        arrivals: { kind: "poisson", ratePerSecond: 5 },
        promptTokens: { kind: "uniform", min: 1, max: 60 },
        outputTokens: { kind: "uniform", min: 0, max: 30 },
      },
      service: { kind: "affine", cMs: 10, aMs: 0.5 },
      engine: { replicas: 2, kvTokens: 4000 },
      scheduler: { kind },
      horizon: { tmaxSeconds: 20 },
    }),
  );

  test("is what Perfetto reads: fields by kind of event, names of processes and tracks", async () => {
    const events = await eventsOf(two);
    const fields: Readonly<Record<string, readonly string[]>> = {
      M: ["name", "ph", "pid", "tid", "args"],
      X: ["name", "cat", "ph", "pid", "tid", "ts", "dur", "args"],
      C: ["name", "ph", "pid", "ts", "args"],
      b: ["name", "cat", "ph", "id", "pid", "tid", "ts"],
      e: ["name", "cat", "ph", "id", "pid", "tid", "ts"],
      n: ["name", "cat", "ph", "id", "pid", "tid", "ts"],
    };
    for (const event of events) {
      expect(Object.keys(event)).toEqual(expect.arrayContaining([...fields[event.ph]]));
      for (const key of ["ts", "dur"] as const)
        if (fields[event.ph].includes(key)) expect(event[key]).toBeGreaterThanOrEqual(0);
      expect([1, 2]).toContain(event.pid);
    }
    const names = events
      .filter(({ ph }) => ph === "M")
      .map(({ name, pid, tid, args }) => [name, pid, tid, args]);
    expect(names).toEqual(
      ["sarathi", "orca"].flatMap((name, i) => [
        ["process_name", i + 1, 0, { name }],
        ["process_sort_index", i + 1, 0, { sort_index: i + 1 }],
        ["thread_name", i + 1, 1, { name: "replica 0" }],
        ["thread_name", i + 1, 2, { name: "replica 1" }],
      ]),
    );
    for (const counter of [
      "queue",
      "residents of replica 1",
      "batch tokens of replica 0",
      "KV blocks of replica 0",
    ])
      expect(events.some(({ ph, name, pid }) => ph === "C" && name === counter && pid === 2)).toBe(true);
    // Async events of two processes never share an id.
    const ids = events.filter(({ ph }) => ph === "b").map(({ id, pid }) => `${id} of ${pid}`);
    expect(ids.every((text) => text.startsWith(`${text.split(" of ")[1]}.`))).toBe(true);
  });

  test("a long trial is cut, said with where; what was under way ends there", async () => {
    const { file, notes } = await timelineFile("t.json", two, SEED, 100, {});
    const { traceEvents, otherData } = JSON.parse([...file.text].join("")) as {
      traceEvents: TraceEvent[];
      otherData: { notes: string[] };
    };
    expect(notes).toHaveLength(2);
    expect(otherData.notes).toEqual(notes);
    const [, count, at] =
      /^timeline: sarathi is cut after (\d+) iterations, at ([\d.]+) s \(--timeline-limit 100\)$/.exec(
        notes[0],
      )!;
    const mine = traceEvents.filter(({ pid }) => pid === 1);
    const iterations = mine.filter(({ ph }) => ph === "X");
    expect(iterations).toHaveLength(Number(count));
    // The other replica may have begun some before the cut.
    expect(iterations.length).toBeGreaterThanOrEqual(100);
    expect(iterations.length).toBeLessThan(200);
    for (const { ts, ph } of mine)
      if (ph !== "M") expect(ns(ts)).toBeLessThanOrEqual(Math.round(Number(at) * 1e9));
    expectNoOverlap(mine);
    expectPhases(mine);
    expect(mine.some(({ args }) => args?.cut === true)).toBe(true);
    // Up to the cut it is the whole trial's.
    const whole = (await eventsOf(two)).filter(({ ph, pid }) => ph === "X" && pid === 1);
    const key = ({ tid, ts }: TraceEvent): string => `${tid}@${ts}`;
    expect(iterations.map(key).sort()).toEqual(
      whole
        .filter(({ ts }) => ns(ts) < Math.round(Number(at) * 1e9))
        .map(key)
        .sort(),
    );
    expect((await timelineFile("t.json", two, SEED, 1e6, {})).notes).toEqual([]);
  });

  test("who asks to stop is heard between two schedulers", async () => {
    let asked = 0;
    const { file } = await timelineFile("t.json", two, SEED, 100, { goesOn: async () => ++asked < 2 });
    const { traceEvents } = JSON.parse([...file.text].join("")) as { traceEvents: TraceEvent[] };
    expect(new Set(traceEvents.map(({ pid }) => pid))).toEqual(new Set([1]));
    const { rows } = await requestFile("r.csv", two, SEED, { goesOn: async () => ++asked < 4 });
    expect(new Set(rows.map(({ scheduler }) => scheduler)).size).toBe(1);
  });
});
