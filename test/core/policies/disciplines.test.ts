/**
 * Disciplines against queueing theory: demo2 one request at a time is M/G/1, where the mean waits of FCFS, shortest
 * first and two classes are exact (Pollaczek & Khinchine, Phipps, Cobham). And what a request's own draws owe:
 * they depend on nothing but its id.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { PartialConfig } from "../../../src/core/configuration/config.js";
import type { Spec } from "../../../src/core/options/definition.js";
import { predictionsOf } from "../../../src/core/policies/predictions.js";
import { Requests } from "../../../src/core/workload/requests.js";
import { builtIn, member } from "../../../src/core/configuration/registry.js";
import { Simulator } from "../../../src/core/trial/simulate.js";
import { tokens, toSeconds, UNLIMITED } from "../../../src/core/numbers/units.js";
import { pairedDifference, summarize } from "../../../src/stats/index.js";
import { cobham, mg1, shortestFirst } from "../../../src/theory/index.js";

const demo2: PartialConfig = {
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 0.4 },
    promptTokens: { kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
    outputTokens: { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
  },
  service: { kind: "affine", cMs: 10, aMs: 0.5 },
  engine: { maxSequences: 1 },
  scheduler: { kind: "decode-prioritizing" },
  // The system starts empty: the warm-up is some hundred times the time in which it forgets that.
  horizon: { tmaxSeconds: 42_000, warmupSeconds: 2000 },
};
const TRIALS = 25;

/** Mean queueing delays in ms by trial, of the measured requests that `of` takes. */
function waits(discipline: Spec, of: (classOf: number) => boolean = () => true): number[] {
  const simulator = new Simulator();
  const config = prepare({ ...demo2, engine: { ...demo2.engine, discipline } });
  return Array.from({ length: TRIALS }, (_, i) => {
    const requests = simulator.draw(config, 1, i + 1);
    const { shared, replicas, firstMeasured } = simulator.run(config, requests, { seed: 1, trial: i + 1 });
    const { startedAt } = shared.sequences;
    let sum = 0;
    let count = 0;
    for (let id = firstMeasured; id < requests.count; id++) {
      if (!of(replicas[0].waiting.classOf?.(id) ?? 0)) continue;
      sum += startedAt[id] - requests.arrivedAt[id];
      count++;
    }
    return sum / count / 1e6;
  });
}

/** Within 3.5 standard errors, and these at most 1 % of the value: a wide interval cannot pass. */
function expectMean(values: readonly number[], known: number): void {
  const { mean, sd } = summarize(values);
  const error = sd / Math.sqrt(values.length);
  expect(error).toBeLessThan(0.01 * known);
  expect(Math.abs(mean - known)).toBeLessThan(3.5 * error);
}

/** The six services of demo2 in s. */
const services = [32, 128, 512].flatMap((prompt, i) =>
  [64, 256].map((output) => ({
    time: (10 + 0.5 * prompt + (output - 1) * 10.5) / 1000,
    probability: [0.6, 0.3, 0.1][i] * 0.5,
  })),
);
const moment = (n: number): number =>
  services.reduce((sum, { time, probability }) => sum + probability * (n === 1 ? time : time * time), 0);
const service = { m1: moment(1), m2: moment(2) };

describe("demo2 one request at a time, λ = .4 (theory §1)", () => {
  test("the known answers", () => {
    expect(mg1(0.4, service).waitingTime * 1000).toBeCloseTo(2628.5, 1);
    expect(shortestFirst(0.4, services) * 1000).toBeCloseTo(1984.41, 2);
    const half = { lambda: 0.2, service };
    expect(cobham([half, half]).map((wait) => (wait * 1000).toFixed(2))).toEqual(["1233.11", "4023.97"]);
  });

  test("fcfs: Pollaczek & Khinchine", () => {
    expectMean(waits({ kind: "fcfs" }), mg1(0.4, service).waitingTime * 1000);
  });

  test("shortest first: Phipps", () => {
    expectMean(waits({ kind: "sjf", predictionNoise: 0 }), shortestFirst(0.4, services) * 1000);
  });

  test("two classes, half the requests each: Cobham", () => {
    const spec = { kind: "priority", classes: [0.5, 0.5] };
    const half = { lambda: 0.2, service };
    const known = cobham([half, half]);
    known.forEach((wait, i) =>
      expectMean(
        waits(spec, (classOf) => classOf === i),
        wait * 1000,
      ),
    );
  });

  describe("a worse prediction", () => {
    const sigmas = [0, 0.5, 2, 10];
    const bySigma: number[][] = [];
    beforeAll(() => {
      for (const predictionNoise of sigmas) bySigma.push(waits({ kind: "sjf", predictionNoise }));
    }, 60_000);

    test("never helps by a resolved difference", () => {
      for (let i = 0; i < sigmas.length; i++)
        for (let j = i + 1; j < sigmas.length; j++) {
          const { high } = pairedDifference(bySigma[j], bySigma[i]);
          expect([sigmas[i], sigmas[j], high > 0]).toEqual([sigmas[i], sigmas[j], true]);
        }
      // From an exact one to a useless one it costs beyond doubt.
      expect(pairedDifference(bySigma[2], bySigma[0]).low).toBeGreaterThan(0);
    });

    test("that tells nothing leaves the wait of FCFS, for the service times are then in random order", () => {
      expectMean(bySigma[3], mg1(0.4, service).waitingTime * 1000);
    });
  });
});

describe("what is known of a request", () => {
  const model = member(builtIn.serviceTimes, "affine").create({ kind: "affine", cMs: 10, aMs: 0.5, b0: 0 });
  const alone = { model, maxTokens: tokens(2048), chunk: tokens(UNLIMITED), emitsAtPrefillEnd: true };
  const rows = Array.from({ length: 900 }, (_, i) => ({
    arrivedAt: i,
    promptTokens: 1 + (i % 700),
    outputTokens: i % 300,
  }));

  test("is drawn by its id, in whatever order it is asked for", () => {
    const about = (): ReturnType<typeof predictionsOf> => predictionsOf(Requests.of(rows), alone, 5, 2);
    const forward = about();
    const backward = about();
    const values = rows.map((_, id) => [forward.normal(id), forward.uniform(id), forward.timeAlone(id)]);
    for (let id = rows.length - 1; id >= 0; id--)
      expect([backward.normal(id), backward.uniform(id), backward.timeAlone(id)]).toEqual(values[id]);
    const other = predictionsOf(Requests.of(rows), alone, 5, 3);
    expect(other.normal(0)).not.toBe(values[0][0]);
  });

  test("its time alone is that of the engine (model §6)", () => {
    const simulator = new Simulator();
    for (const chunkSize of [null, 64])
      for (const firstToken of ["prefill", "decode"] as const)
        for (const service of [
          { kind: "affine", cMs: 10, aMs: 0.5, b0: 3 },
          { kind: "gpu", hMs: 1, cMs: 9, a1Ms: 0.1, aMs: 0.4, b0: 8, kMs: 0.001, kmMs: 0.002, f: 1.1 },
        ]) {
          const config = prepare({
            ...demo2,
            service,
            engine: { chunkSize, maxTokens: 100 },
            conventions: { firstToken },
          });
          const [prompt, output] = [333, 40];
          const lone = Requests.of([{ arrivedAt: 7e9, promptTokens: prompt, outputTokens: output }]);
          const engine = {
            model: member(builtIn.serviceTimes, service.kind).create(config.service),
            maxTokens: tokens(100),
            chunk: tokens(chunkSize ?? UNLIMITED),
            emitsAtPrefillEnd: firstToken === "prefill",
          };
          const time = predictionsOf(lone, engine, 1, 1).timeAlone(0);
          const { shared } = simulator.run(config, lone, { seed: 1, trial: 1 });
          expect(toSeconds(time)).toBe(toSeconds(shared.sequences.finishedAt[0] - 7e9));
        }
  });
});
