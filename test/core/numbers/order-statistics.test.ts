/** Percentiles without sorting, of weighted values and of the table's rows, against the definition: sort, then interpolate (type 7, model §4). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { percentiles } from "../../../src/core/numbers/order-statistics.js";
import { RequestTimes } from "../../../src/core/measures/request-times.js";
import { Requests } from "../../../src/core/workload/requests.js";
import { Selection } from "../../../src/core/numbers/selection.js";
import { Sequences } from "../../../src/core/state/sequences.js";

const SHARES = [0.5, 0.9, 0.95, 0.99];

/** Percentiles of weighted values by selection. */
function weighted(values: readonly number[], weights: readonly number[], ps: readonly number[]): number[] {
  const selection = new Selection();
  selection.reserve(values.length);
  selection.values.set(values);
  selection.weights.set(weights);
  selection.ready(
    values.length,
    weights.reduce((sum, weight) => sum + weight, 0),
  );
  const found = new Float64Array(ps.length);
  percentiles(selection, ps, found, 0);
  return [...found];
}
const plain = (values: readonly number[], ps: readonly number[]): number[] =>
  weighted(values, Array<number>(values.length).fill(1), ps);

/** Rows whose response times are `responses`, and everything else along with them. */
function table(responses: readonly number[]): Sequences {
  const outputs = responses.map((_, i) => (i * 7) % 5);
  const rows = outputs.map((outputTokens) => ({ arrivedAt: 0, promptTokens: 1, outputTokens }));
  const sequences = new Sequences(Requests.of(rows));
  sequences.reset(sequences.requests);
  responses.forEach((response, i) => {
    sequences.finishedAt[i] = response;
    sequences.startedAt[i] = Math.floor(response / ((i % 9) + 3));
    sequences.firstTokenAt[i] = Math.floor(response / ((i % 4) + 1));
  });
  return sequences;
}
/** The four times of the rows [0, to), by definition. */
function timesOf(
  { requests, startedAt, firstTokenAt, finishedAt }: Sequences,
  to: number,
): Record<"ttft" | "tbt" | "rts" | "delay", number[]> {
  const rows = Array.from({ length: to }, (_, i) => i);
  const output = (i: number): number => requests.outputTokens[i];
  return {
    ttft: rows.filter((i) => output(i) > 0).map((i) => firstTokenAt[i]),
    tbt: rows.filter((i) => output(i) > 1).map((i) => (finishedAt[i] - firstTokenAt[i]) / (output(i) - 1)),
    rts: rows.map((i) => finishedAt[i]),
    delay: rows.map((i) => startedAt[i]),
  };
}
/** What the four samples say, and what is so. */
function expectTimes(times: RequestTimes, sequences: Sequences, to: number, ps: readonly number[]): void {
  for (const [name, values] of Object.entries(timesOf(sequences, to))) {
    const sample = times[name as "rts"];
    const found = new Float64Array(ps.length + 1);
    sample.percentiles(ps, found, 1);
    const expected = values.length === 0 ? ps.map(() => NaN) : bySorting(values, ps);
    expect([name, ...found.subarray(1)]).toEqual([name, ...expected]);
    const sum = values.reduce((total, value) => total + value, 0);
    expect([name, sample.total, sample.sum, sample.mean]).toEqual([
      name,
      values.length,
      sum,
      sum / values.length,
    ]);
  }
}

/** Type 7 by definition; `at` gives the k-th smallest, k from 0. */
function typeSeven(at: (k: number) => number, count: number, p: number): number {
  const position = (count - 1) * p;
  const low = Math.floor(position);
  return at(low) + (at(Math.min(low + 1, count - 1)) - at(low)) * (position - low);
}
function bySorting(values: readonly number[], ps: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return ps.map((p) => typeSeven((k) => sorted[k], sorted.length, p));
}

const value = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.integer({ min: 0, max: 2_000_000_000 }),
  // Fractions, as times between tokens have.
  fc.tuple(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 1, max: 1023 })).map(([a, b]) => a / b),
);
/** Twelve decades and more, evenly by order of magnitude. */
const heavy = fc.double({ min: 0, max: 15, noNaN: true }).map((exponent) => Math.round(10 ** exponent));
const samples = fc.oneof(
  fc.array(value, { minLength: 1, maxLength: 60 }),
  fc.array(value, { minLength: 20, maxLength: 2000, size: "max" }),
  fc.array(heavy, { minLength: 1, maxLength: 2000, size: "max" }),
  fc.array(fc.constantFrom(3, 3, 3, 5, 1e12), { minLength: 1, maxLength: 300 }),
);
const shares = fc.oneof(
  fc.constant(SHARES),
  fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 })
    .map((list) => [0, ...list.sort((a, b) => a - b), 1]),
);

describe("selection", () => {
  test("as sorting and interpolating, to the last bit", () => {
    fc.assert(
      fc.property(samples, shares, (values, ps) => {
        expect(plain(values, ps)).toEqual(bySorting(values, ps));
      }),
      { numRuns: 300 },
    );
  });

  test("weights count as often as they say", () => {
    fc.assert(
      fc.property(samples, shares, fc.integer({ min: 1, max: 1000 }), (values, ps, salt) => {
        const weights = values.map((_, i) => 1 + ((i * salt) % 7));
        const expanded = values.flatMap((value, i) => Array<number>(weights[i]).fill(value));
        expect(weighted(values, weights, ps)).toEqual(bySorting(expanded, ps));
      }),
      { numRuns: 150 },
    );
  });

  test("huge weights, beyond what could be expanded", () => {
    fc.assert(
      fc.property(
        samples,
        fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 1, maxLength: 50 }),
        (values, heap) => {
          const weights = values.map((_, i) => heap[i % heap.length] + (i === 0 ? 1 : 0));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const pairs = values.map((value, i) => [value, weights[i]] as const).sort((a, b) => a[0] - b[0]);
          const at = (k: number): number => {
            let reached = 0;
            return pairs.find(([, weight]) => k < (reached += weight))![0];
          };
          expect(weighted(values, weights, SHARES)).toEqual(SHARES.map((p) => typeSeven(at, total, p)));
        },
      ),
      { numRuns: 150 },
    );
  });

  test("NumPy's: np.percentile([1, 2, 3, 4], [50, 90, 95, 99])", () => {
    const found = plain([3, 1, 4, 2], SHARES);
    [2.5, 3.7, 3.85, 3.97].forEach((expected, i) => expect(found[i]).toBeCloseTo(expected, 14));
  });

  test("none: no value; one: that one; two: between them", () => {
    expect(plain([], SHARES)).toEqual([NaN, NaN, NaN, NaN]);
    expect(plain([7], SHARES)).toEqual([7, 7, 7, 7]);
    expect(weighted([7], [1e15], SHARES)).toEqual([7, 7, 7, 7]);
    expect(plain([0, 100], [0, 0.25, 1])).toEqual([0, 25, 100]);
  });

  test("one far value among many equal ones, and neighbours that no scale tells apart", () => {
    const ps = [0, 0.5, 0.9999, 1];
    const values = Array<number>(10_000).fill(10.5e6);
    values[4321] = 9e15;
    expect(plain(values, ps)).toEqual(bySorting(values, ps));
    const tiny = Array.from({ length: 100 }, (_, i) => ((i * 37) % 5) * Number.MIN_VALUE);
    expect(plain(tiny, ps)).toEqual(bySorting(tiny, ps));
  });
});

describe("the times of requests", () => {
  test("as sorting and interpolating, to the last bit: tiny, huge, equal, none", () => {
    const times = new RequestTimes();
    fc.assert(
      fc.property(samples, shares, (responses, ps) => {
        const sequences = table(responses);
        times.begin(sequences, 1);
        times.add(0, responses.length);
        expectTimes(times, sequences, responses.length, ps);
      }),
      { numRuns: 200 },
    );
  });

  test("rows that were taken back leave nothing behind", () => {
    const times = new RequestTimes();
    const cuts = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 40 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(samples, cuts, (responses, cuts) => {
        const sequences = table(responses);
        const { finishedAt } = sequences;
        times.begin(sequences, 1);
        let kept = 0;
        for (const [share, tail] of cuts.sort((a, b) => a[0] - b[0])) {
          const next = Math.max(kept, Math.floor(share * responses.length));
          const to = Math.min(responses.length, next + tail);
          times.add(kept, next);
          times.mark();
          // In this window the tail takes longer than it will in the next.
          for (let i = next; i < to; i++) finishedAt[i] = responses[i] * 2 + 1;
          times.add(next, to);
          expectTimes(times, sequences, to, SHARES);
          times.remove(next, to);
          for (let i = next; i < to; i++) finishedAt[i] = responses[i];
          kept = next;
        }
        times.add(kept, responses.length);
        expectTimes(times, sequences, responses.length, SHARES);
      }),
      { numRuns: 150 },
    );
  });

  test("two hundred thousand rows over fifteen decades, in finer buckets; few rows again after them", () => {
    let state = 12345;
    const responses = Array.from({ length: 210_000 }, () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return Math.round(10 ** ((15 * state) / 2147483648));
    });
    const times = new RequestTimes();
    for (const count of [210_000, 1000]) {
      const sequences = table(responses.slice(0, count));
      times.begin(sequences, 1);
      times.add(0, count);
      expectTimes(times, sequences, count, SHARES);
    }
  });
});
