/** The requests of a trial: prefixes, common random numbers across λ, and the table itself (model §4). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exp } from "../../../src/core/numbers/arithmetic.js";
import type { ArrivalDefinition } from "../../../src/core/workload/arrival-process.js";
import { stream } from "../../../src/core/numbers/random.js";
import { builtIn } from "../../../src/core/configuration/registry.js";
import { Requests } from "../../../src/core/workload/requests.js";
import { drawTrial } from "../../../src/core/configuration/draw-trial.js";
import { asInstant } from "../../../src/core/numbers/units.js";

const workloadAt = (ratePerSecond: number, kind = "poisson") => ({
  arrivals: { kind, ratePerSecond },
  promptTokens: { kind: "lognormal", mu: 3.2764, sigma: 1.5201, min: 1, max: 2_147_483_647 },
  outputTokens: { kind: "geometric", p: 0.0056, max: 1024 },
});
interface Until {
  readonly tmaxSeconds: number;
  readonly maxRequests?: number | null;
}
function generate(until: Until, ratePerSecond = 2, into = new Requests(), trial = 1): Requests {
  drawTrial(into, workloadAt(ratePerSecond), { maxRequests: null, ...until }, { seed: 1, trial }, builtIn);
  return into;
}
const table = (requests: Requests): [number, number, number][] =>
  Array.from({ length: requests.count }, (_, i) => [
    requests.arrivedAt[i],
    requests.promptTokens[i],
    requests.outputTokens[i],
  ]);

describe("drawn requests", () => {
  const whole = table(generate({ tmaxSeconds: 500 }));

  test("have a stream a purpose, and nothing else decides them", () => {
    const [arrivals, prompts, outputs] = ["arrivals", "prompt", "output"].map((purpose) =>
      stream(1, 1, purpose),
    );
    let units = 0;
    for (const [arrivedAt, prompt, output] of whole) {
      units += arrivals.exponential();
      expect(arrivedAt).toBe(Math.round((units / 2) * 1e9));
      expect(prompt).toBe(Math.max(1, Math.floor(exp(3.2764 + 1.5201 * prompts.normal()))));
      expect(output).toBe(Math.min(1024, 1 + Math.floor(outputs.exponential() / -Math.log1p(-0.0056))));
    }
  });

  test("a shorter window sees a prefix, lengths included", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 500, noNaN: true }), (tmaxSeconds) => {
        const prefix = whole.filter(([arrivedAt]) => arrivedAt <= Math.round(tmaxSeconds * 1e9));
        expect(table(generate({ tmaxSeconds }))).toEqual(prefix);
      }),
      { numRuns: 40 },
    );
  });

  test("fewer requests are a prefix; whichever limit comes first ends them", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1200 }),
        fc.double({ min: 1, max: 500, noNaN: true }),
        (maxRequests, tmaxSeconds) => {
          const inWindow = whole.filter(([arrivedAt]) => arrivedAt <= Math.round(tmaxSeconds * 1e9));
          expect(table(generate({ tmaxSeconds, maxRequests }))).toEqual(inWindow.slice(0, maxRequests));
        },
      ),
      { numRuns: 40 },
    );
  });

  test("another λ scales every gap and keeps every length", () => {
    for (const rate of [0.5, 1, 3, 8]) {
      const scaled = table(generate({ tmaxSeconds: 1000 / rate }, rate));
      expect(scaled.length).toBe(whole.length);
      const source = stream(1, 1, "arrivals");
      let units = 0;
      scaled.forEach(([arrivedAt, ...lengths], i) => {
        units += source.exponential();
        expect(arrivedAt).toBe(Math.round((units / rate) * 1e9));
        expect(lengths).toEqual(whole[i].slice(1));
      });
    }
  });

  test("another trial is another draw; buffers keep nothing of the last", () => {
    const reused = generate({ tmaxSeconds: 2000 }, 5, new Requests(), 2);
    expect(table(reused).slice(0, 3)).not.toEqual(whole.slice(0, 3));
    expect(table(generate({ tmaxSeconds: 500 }, 2, reused))).toEqual(whole);
    expect(table(generate({ tmaxSeconds: 20 }, 2, reused))).toEqual(whole.filter(([at]) => at <= 20e9));
  });

  test("more arrivals than the rate promises: the table grows", () => {
    const understated: ArrivalDefinition = {
      name: "understated",
      summary: "one a millisecond, but says one a day",
      source: "test",
      loadOption: null,
      options: [],
      examples: [{ kind: "understated" }],
      create: () => ({
        ratePerSecond: 1 / 86_400,
        open: () => {
          let count = 0;
          return { next: () => asInstant(++count * 1e6) };
        },
      }),
    };
    const registry = { ...builtIn, arrivals: [...builtIn.arrivals, understated] };
    const requests = new Requests();
    const workload = { ...workloadAt(1), arrivals: { kind: "understated" } };
    drawTrial(requests, workload, { tmaxSeconds: 1, maxRequests: null }, { seed: 1, trial: 1 }, registry);
    expect(requests.count).toBe(1000);
    expect(
      table(requests)
        .slice(0, 900)
        .map(([at]) => at),
    ).toEqual(Array.from({ length: 900 }, (_, i) => (i + 1) * 1e6));
    expect(table(requests).every(([, prompt, output]) => prompt >= 1 && output >= 1)).toBe(true);
  });

  test("a backlog stands there at 0, from a stream of its own, and moves nothing that arrives (theory §3)", () => {
    const requests = new Requests();
    const drawn = { seed: 1, trial: 1, backlog: 40 };
    drawTrial(requests, workloadAt(2), { tmaxSeconds: 500, maxRequests: 300 }, drawn, builtIn);
    const rows = table(requests);
    const [standing, arriving] = [rows.slice(0, 40), rows.slice(40)];
    expect(standing.every(([at]) => at === 0)).toBe(true);
    const source = stream(1, 1, "backlog");
    for (const [, prompt, output] of standing) {
      expect(prompt).toBe(Math.max(1, Math.floor(exp(3.2764 + 1.5201 * source.normal()))));
      expect(output).toBe(Math.min(1024, 1 + Math.floor(source.exponential() / -Math.log1p(-0.0056))));
    }
    expect(arriving).toEqual(whole.slice(0, 300));
  });

  test("a window that nobody arrives in is empty", () => {
    expect(generate({ tmaxSeconds: 1e-9 }).count).toBe(0);
  });
});

describe("the table", () => {
  const row = fc.record({
    gap: fc.constantFrom(0, 0, 1, 5),
    promptTokens: fc.integer({ min: 1, max: 9 }),
    outputTokens: fc.integer({ min: 0, max: 9 }),
  });
  const rows = fc.array(row, { maxLength: 200 }).map((list) => {
    let clock = 0;
    return list.map(({ gap, ...lengths }) => ({ arrivedAt: (clock += gap), ...lengths }));
  });

  test("holds given rows in order", () => {
    fc.assert(
      fc.property(rows, (rows) => {
        const expected = rows.map(({ arrivedAt, promptTokens, outputTokens }) => [
          arrivedAt,
          promptTokens,
          outputTokens,
        ]);
        expect(table(Requests.of(rows))).toEqual(expected);
        const added = new Requests();
        for (const row of rows) added.add(row.arrivedAt, row.promptTokens, row.outputTokens);
        expect(table(added)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("firstAt finds the first row at an instant or later; until keeps those at it or earlier", () => {
    fc.assert(
      fc.property(
        rows,
        fc.array(fc.integer({ min: -1, max: 400 }), { minLength: 1, maxLength: 10 }),
        (rows, instants) => {
          const requests = Requests.of(rows);
          const at = rows.map(({ arrivedAt }) => arrivedAt);
          for (const instant of instants) {
            requests.until(Infinity);
            const first = at.findIndex((arrival) => arrival >= instant);
            expect(requests.firstAt(instant)).toBe(first === -1 ? at.length : first);
            requests.until(instant);
            expect(requests.count).toBe(at.filter((arrival) => arrival <= instant).length);
          }
          requests.until(Infinity); // what was hidden is still there
          expect(requests.count).toBe(rows.length);
        },
      ),
      { numRuns: 100 },
    );
  });
});
