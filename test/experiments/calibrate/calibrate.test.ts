/**
 * Calibration on profiles whose truth is known: the coefficients come back, the form is the one that made the steps,
 * the errors are those that were put in, and kernels add up to iterations as LLMServingSim's profiler measures them.
 */
import { describe, expect, test } from "vitest";
import { withDefaults } from "../../../src/core/options/check-options.js";
import type { Spec } from "../../../src/core/options/definition.js";
import { ConfigError } from "../../../src/core/errors.js";
import { stream } from "../../../src/core/numbers/random.js";
import { builtIn, member } from "../../../src/core/configuration/registry.js";
import { agreement } from "../../../src/charts/index.js";
import { chooseForm, foldsOf } from "../../../src/experiments/calibrate/choose.js";
import { designOf } from "../../../src/experiments/calibrate/design.js";
import { hardwareDocument } from "../../../src/experiments/calibrate/document.js";
import { errorsByRegion, errorsOf, summarizeErrors } from "../../../src/experiments/calibrate/errors.js";
import { fitForms } from "../../../src/experiments/calibrate/fit.js";
import { FORMS } from "../../../src/experiments/calibrate/forms.js";
import { readKernels, stepsOf } from "../../../src/experiments/calibrate/kernels.js";
import { readProfile } from "../../../src/experiments/calibrate/profile.js";
import { readSteps, stepsIn, type Step } from "../../../src/experiments/calibrate/steps.js";
import { coarser, completeGrid, tableOf, thinned } from "../../../src/experiments/calibrate/tables.js";
import type { InputFile } from "../../../src/experiments/interface/experiment.js";
import { warningsOf } from "../../charts/compile.js";

type Truth = Readonly<Record<"cMs" | "a1Ms" | "aMs" | "b0" | "kMs" | "kmMs", number>>;
const TRUTH: Truth = { cMs: 11, a1Ms: 0.016, aMs: 0.037, b0: 215, kMs: 9e-5, kmMs: 6e-5 };

/** The formula of the model page, written plainly. */
function ms(t: Truth, decodes: number, kv: number, prefill: number): number {
  const b = decodes + prefill;
  const rate = prefill > 0 ? t.kMs + t.kmMs : t.kMs;
  return t.cMs + t.a1Ms * Math.min(b, t.b0) + t.aMs * Math.max(0, b - t.b0) + rate * decodes * kv;
}

/** A grid of steps with uniform relative noise of ±`noise`. */
function grid(truth: Truth, noise = 0, seed = 7): Step[] {
  const draws = stream(seed, 1, "calibrate");
  const steps: Step[] = [];
  for (const decodes of [0, 1, 4, 16, 64, 128, 256])
    for (const kv of decodes === 0 ? [0] : [256, 512, 1024, 2048])
      for (const prefill of [0, 64, 128, 256, 512, 1024, 1792])
        if (decodes + prefill > 0)
          steps.push({
            decodes,
            kvPerDecode: kv,
            prefillTokens: prefill,
            tokens: decodes + prefill,
            sumKv: decodes * kv,
            ms: ms(truth, decodes, kv, prefill) * (1 + noise * (2 * draws.uniform() - 1)),
          });
  return steps;
}

describe("forms", () => {
  test("exact steps give back every coefficient of the form that made them, and that form is chosen", () => {
    const cases: [string, Truth][] = [
      ["S6", TRUTH],
      ["S5", { ...TRUTH, kmMs: 0 }],
      ["S4", { ...TRUTH, kmMs: 0, a1Ms: 0 }],
      ["S3", { ...TRUTH, kmMs: 0, a1Ms: 0, kMs: 0 }],
    ];
    for (const [name, truth] of cases) {
      const { chosen } = chooseForm(grid(truth));
      expect([name, chosen.form.name]).toEqual([name, name]);
      for (const [key, value] of Object.entries(truth))
        expect(Math.abs((chosen.service[key] as number) - value), `${name} ${key}`).toBeLessThanOrEqual(
          1e-5 * value,
        );
      expect(chosen.heldOut).toBeLessThan(1e-5);
    }
  });

  test("with noise they come back within it, and the held-out error is that of the noise", () => {
    const noise = 0.02;
    const steps = grid(TRUTH, noise);
    const { chosen, candidates } = chooseForm(steps);
    expect(chosen.form.name).toBe("S6");
    for (const key of ["cMs", "aMs", "kMs"] as const)
      expect(Math.abs((chosen.service[key] as number) / TRUTH[key] - 1), key).toBeLessThan(noise);
    // Harder to see, so told less sharply: the knee, the slope below it, the difference of two slopes.
    for (const key of ["a1Ms", "kmMs"] as const)
      expect(Math.abs((chosen.service[key] as number) / TRUTH[key] - 1), key).toBeLessThan(5 * noise);
    expect(Math.abs((chosen.service.b0 as number) - TRUTH.b0)).toBeLessThan(25);
    // Uniform in ±2 %: a mean absolute error of 1 %; six coefficients of 168 steps take little of it.
    expect(Math.abs(chosen.heldOut - noise / 2)).toBeLessThan(0.1 * noise);
    const errors = candidates.map(({ heldOut }) => heldOut);
    expect(errors).toEqual([...errors].sort((x, y) => y - x));
  });

  test("of forms that fit alike the simplest is taken", () => {
    let lucky = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { chosen, candidates } = chooseForm(grid({ ...TRUTH, kmMs: 0 }, 0.02, seed));
      expect(candidates).toHaveLength(4);
      expect(chosen.form.name).toBe("S5");
      if (candidates[3]!.heldOut < candidates[2]!.heldOut) lucky++;
    }
    // The term that is not there does seem to pay now and then: the rule of one standard error is what leaves it out.
    expect(lucky).toBeGreaterThan(0);
  });

  test("steps that a form cannot be told from leave it out, with the reason; too few are refused", () => {
    const decodes = grid(TRUTH).filter(({ prefillTokens }) => prefillTokens === 0);
    const { omitted } = chooseForm(decodes);
    expect(omitted.map(({ form }) => form.name)).toEqual(["S6"]);
    expect(omitted[0]!.reason).toMatch(/^0 values of sum_kv in mixed steps/);
    expect(() => chooseForm(grid(TRUTH).slice(0, 11))).toThrow(
      new ConfigError([{ key: "profile", message: "too few steps to fit S3: 11 steps (at least 12)" }]),
    );
    expect(() => chooseForm([])).toThrow("too few steps to fit S3: 0 steps (at least 12)");
    const onePlace = grid(TRUTH).map((step) => ({ ...step, decodes: 1, prefillTokens: 1 }));
    expect(() => chooseForm(onePlace)).toThrow("1 pairs of n_decode and prefill_tokens (at least 5");
    const oneSize = grid(TRUTH).map((step) => ({ ...step, tokens: 64 }));
    expect(() => chooseForm(oneSize)).toThrow("too few steps to fit S3: 1 batch sizes (at least 4)");
  });

  test("whole lines of the grid are held out together, in ten folds of nearly equal size", () => {
    const steps = grid(TRUTH);
    const { fold, count } = foldsOf(steps);
    expect(count).toBe(10);
    const foldOf = new Map<string, number>();
    steps.forEach(({ decodes, prefillTokens }, i) => {
      const line = `${decodes} ${prefillTokens}`;
      expect(foldOf.get(line) ?? fold[i]).toBe(fold[i]);
      foldOf.set(line, fold[i]!);
    });
    const sizes = Array.from({ length: 10 }, (_, f) => [...foldOf.values()].filter((g) => g === f).length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });
});

describe("errors", () => {
  test("by region: who is in which, and how far off", () => {
    const steps = grid(TRUTH);
    const tooSlow: Spec = { kind: "gpu", ...TRUTH, cMs: 2 * TRUTH.cMs };
    const errors = errorsOf(tooSlow, steps);
    steps.forEach((step, i) => expect(errors[i]).toBeCloseTo(TRUTH.cMs / step.ms, 6));
    const regions = new Map(errorsByRegion(steps, errors).map(({ region, errors: e }) => [region.key, e]));
    const count = (holds: (step: Step) => boolean): number => steps.filter(holds).length;
    expect(regions.get("decode")!.steps).toBe(count(({ prefillTokens }) => prefillTokens === 0));
    expect(regions.get("prefill")!.steps).toBe(count(({ decodes }) => decodes === 0));
    expect(regions.get("largeKv")!.steps).toBe(count(({ sumKv }) => sumKv > 65_536));
    expect(regions.get("smallBatch")!.steps).toBe(count(({ tokens }) => tokens <= 256));
    const all = summarizeErrors(steps, errors);
    expect(all.biasPct).toBeCloseTo(all.meanPct, 9);
    expect(all.maxPct).toBeCloseTo((100 * TRUTH.cMs) / ms(TRUTH, 1, 256, 0), 4);
    expect([all.worst.decodes, all.worst.kvPerDecode, all.worst.prefillTokens]).toEqual([1, 256, 0]);
    expect(all.p95Pct).toBeLessThan(all.maxPct);
  });
});

const table = (file: string, columns: string[], rows: (string | number | null)[][]): InputFile => ({
  file,
  columns,
  rows: rows.map((cells) => Object.fromEntries(columns.map((column, i) => [column, cells[i]!]))),
  lines: rows.map((_, i) => i + 2),
});
const STEPS = ["n_decode", "kv_per_decode", "prefill_tokens", "batch_tokens", "sum_kv", "step_ms"];

describe("step-time CSVs", () => {
  test("are read as they stand; a range takes what it says", () => {
    const steps = readSteps(
      table("s.csv", STEPS, [
        [0, 0, 64, 64, 0, 12.5],
        [4, 256, 64, 68, 1024, 13],
        [4, 4096, 0, 4, 16384, 12],
      ]),
    );
    expect(steps[1]).toEqual({
      decodes: 4,
      kvPerDecode: 256,
      prefillTokens: 64,
      tokens: 68,
      sumKv: 1024,
      ms: 13,
    });
    const numbers = (range: Parameters<typeof stepsIn>[1]): number[] =>
      stepsIn(steps, range).map((step) => steps.indexOf(step));
    expect(numbers({})).toEqual([0, 1, 2]);
    expect(numbers({ mostKv: 256 })).toEqual([0, 1]);
    expect(numbers({ leastKv: 257 })).toEqual([0, 2]);
    expect(numbers({ leastChunk: 65 })).toEqual([2]);
    expect(numbers({ mostTokens: 64 })).toEqual([0, 2]);
    expect(numbers({ mostSumKv: 1024 })).toEqual([0, 1]);
  });

  test("every wrong cell is told with file, line and column, ten in full", () => {
    const bad = table("s.csv", STEPS, [
      [0, 0, 64, 64, 0, "slow"],
      [-1, 0, 64, 63, 0, 12],
      [1, 256, 64, 64, 256, 12],
      [0, 0, 64, 64, 256, 12],
      [0, 0, null, 64, 0, 0],
    ]);
    expect(() => readSteps(bad)).toThrow(
      [
        "s.csv:2: invalid step_ms: slow (a number above 0 and at most 1000000, in ms)",
        "s.csv:3: invalid n_decode: -1 (a number at least 0 and at most 1000000000)",
        "s.csv:4: invalid batch_tokens: 64 (n_decode + prefill_tokens = 65, 1 or more)",
        "s.csv:5: invalid sum_kv: 256 (0 where n_decode is 0)",
        "s.csv:6: invalid prefill_tokens: nothing (a number at least 0 and at most 1000000000)",
        "s.csv:6: invalid step_ms: 0 (a number above 0 and at most 1000000, in ms)",
      ].join("\n"),
    );
    const many = table(
      "s.csv",
      STEPS,
      Array.from({ length: 20 }, () => [0, 0, 64, 64, 0, 0]),
    );
    let told: readonly string[] = [];
    try {
      readSteps(many);
    } catch (error) {
      told = (error as ConfigError).issues.map(({ message }) => message);
    }
    expect([told.length, told.at(-1)]).toEqual([11, "s.csv: … and 10 more"]);
  });
});

/** Kernels with laws that are straight along every axis, so that interpolation is exact and sums can be written down. */
const CHUNKS = [0, 16, 64, 256, 1024];
const KVS = [16, 256, 1024, 4096];
const COUNTS = [1, 8, 64];
function attentionUs(chunk: number, cached: number, decodes: number, kv: number): number {
  const side = chunk > 0 ? 10 + 0.1 * chunk + 0.0001 * chunk * cached : 0;
  const decode = decodes > 0 ? 8 + 0.05 * decodes + (chunk > 0 ? 0.004 : 0.002) * decodes * kv : 0;
  return side + decode;
}
function kernelFiles(): InputFile[] {
  const dense: (string | number)[][] = [];
  for (const tokens of [1, 64, 512, 2048])
    for (const [layer, us] of [
      ["embedding", 5],
      ["layernorm", 2 + 0.01 * tokens],
      ["qkv_proj", 50 + 0.1 * tokens],
      ["final_layernorm", 3],
    ] as const)
      dense.push([layer, tokens, us]);
  // A size that lacks a kernel says nothing of the whole.
  dense.push(["qkv_proj", 100, 1]);
  const heads: (string | number)[][] = [1, 256].flatMap((n) => [
    ["lm_head", n, 700 + n],
    ["sampler", n, 25],
  ]);
  const attention: number[][] = [];
  for (const chunk of CHUNKS)
    for (const cached of chunk === 0 ? [0] : [0, 512, 2048])
      for (const decodes of chunk === 0 ? [...COUNTS, 256] : [0, ...COUNTS])
        for (const kv of decodes === 0 ? [0] : KVS)
          attention.push([chunk, cached, decodes, kv, attentionUs(chunk, cached, decodes, kv)]);
  const columns = ["prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "time_us"];
  return [
    table("p/dense.csv", ["layer", "tokens", "time_us"], dense),
    table("p/per_sequence.csv", ["layer", "sequences", "time_us"], heads),
    table("p/attention.csv", columns, attention),
  ];
}
const LAYERS = 32;
/** An iteration of those kernels in ms, by hand. */
const iteration = (decodes: number, kv: number, chunk: number): number => {
  const b = decodes + chunk;
  const dense = 5 + 3 + LAYERS * (2 * (2 + 0.01 * b) + 50 + 0.1 * b);
  const head = 725 + decodes + (chunk > 0 ? 1 : 0);
  return (dense + head + LAYERS * attentionUs(chunk, 0, decodes, kv)) / 1000;
};

const PROVENANCE = {
  name: "n",
  summary: "s",
  gpu: "g",
  model: "m",
  source: "s",
  licence: "MIT",
  date: "2026-01-01",
  leavesOut: "l",
};

describe("kernel profiles", () => {
  test("add up to iterations: norms twice a layer, embedding and head once, decodes and chunk together", () => {
    const steps = stepsOf(readKernels(kernelFiles(), LAYERS));
    // Chunks with context before them are not iterations of a step-time CSV.
    expect(steps).toHaveLength(16 + 4 * (1 + 3 * 4));
    for (const { decodes, kvPerDecode, prefillTokens, tokens, sumKv, ms: found } of steps) {
      expect(found).toBeCloseTo(iteration(decodes, kvPerDecode, prefillTokens), 9);
      expect([tokens, sumKv]).toEqual([decodes + prefillTokens, decodes * kvPerDecode]);
    }
  });

  test("show what mixed batches cost more: km comes from the rows measured together", () => {
    const { steps } = readProfile(kernelFiles(), LAYERS);
    const { chosen } = chooseForm(stepsIn(steps, { leastKv: 256, leastChunk: 64 }));
    expect(chosen.form.name).toBe("S6");
    // 0.002 µs a cached token and layer, and as much again in mixed batches.
    const share = (key: string): number => (chosen.service[key] as number) / ((LAYERS * 0.002) / 1000);
    expect(Math.abs(share("kMs") - 1)).toBeLessThan(0.05);
    expect(Math.abs(share("kmMs") - 1)).toBeLessThan(0.1);
  });

  test("forms are fitted to an even design of iterations within a budget, priced by the table", () => {
    const kernels = readKernels(kernelFiles(), LAYERS);
    const range = { leastKv: 256, mostKv: 2048, leastChunk: 0, mostTokens: 1024, mostSumKv: 65_536 };
    const design = designOf(tableOf(kernels), range, 256);
    const shapes = design.map(({ decodes, kvPerDecode, prefillTokens }) =>
      [decodes, kvPerDecode, prefillTokens].join(" "),
    );
    expect(new Set(shapes).size).toBe(shapes.length);
    const of = (decodes: number, kv: number): number[] =>
      design
        .filter((step) => step.decodes === decodes && step.kvPerDecode === kv)
        .map((step) => step.prefillTokens);
    expect(of(0, 0)).toEqual([256, 512, 768, 1024]);
    expect(of(64, 1024)).toEqual([0, 256, 512, 768, 960]);
    // More cached tokens than fit, or contexts outside the range, are not in it.
    expect(of(64, 1536)).toEqual([]);
    expect(of(1, 3072)).toEqual([]);
    expect(Math.max(...design.map(({ decodes }) => decodes))).toBe(256);
    for (const { decodes, kvPerDecode, prefillTokens, tokens, sumKv, ms: found } of design) {
      expect([tokens, sumKv]).toEqual([decodes + prefillTokens, decodes * kvPerDecode]);
      expect(tokens).toBeLessThanOrEqual(1024);
      // The kernels are straight, so the table is exact but for its rounding.
      expect(Math.abs(found / iteration(decodes, kvPerDecode, prefillTokens) - 1)).toBeLessThan(0.006);
    }
    // Wider limits than the design's own contexts widen it, by its last step; a finer step makes it finer.
    const wide = designOf(tableOf(kernels), { ...range, leastKv: 16, mostKv: 6500 }, 128);
    expect([...new Set(wide.map(({ kvPerDecode }) => kvPerDecode))].sort((x, y) => x - y)).toEqual([
      0, 16, 256, 512, 1024, 1536, 2048, 3072, 4096, 5120, 6144,
    ]);
    expect(wide.some(({ prefillTokens }) => prefillTokens === 128)).toBe(true);
    // No more decodes than the budget holds.
    const small = designOf(tableOf(kernels), { ...range, mostTokens: 50 }, 256);
    expect(Math.max(...small.map(({ tokens }) => tokens))).toBe(50);
  });

  test("such a fit is judged over the design and over the measured rows", () => {
    const profile = readProfile(kernelFiles(), LAYERS);
    const fit = fitForms(profile, { ...profile.range, mostTokens: 1024 }, FORMS, 256);
    expect(fit.form).toBe("S6");
    expect(fit.fitted.steps.every(({ prefillTokens }) => prefillTokens === 0 || prefillTokens >= 176)).toBe(
      true,
    );
    expect(fit.measured!.steps.some(({ prefillTokens }) => prefillTokens === 64)).toBe(true);
    expect(fit.measured!.steps.every((step) => profile.steps.includes(step))).toBe(true);
    const share = (key: string): number => (fit.service[key] as number) / ((LAYERS * 0.002) / 1000);
    // The kernels' fixed costs of either side are not in the form: the slopes take a little of them.
    expect(Math.abs(share("kMs") - 1)).toBeLessThan(0.05);
    expect(Math.abs(share("kmMs") - 1)).toBeLessThan(0.1);
    expect(fit.fitted.total.meanPct).toBeLessThan(0.5);
    const { fit: told } = JSON.parse(hardwareDocument(PROVENANCE, fit)) as {
      fit: { steps: number; measured: { steps: number } };
    };
    expect([told.steps, told.measured.steps]).toEqual([fit.fitted.steps.length, fit.measured!.steps.length]);
  });

  test("as a table they price every measured iteration, and those between", () => {
    const kernels = readKernels(kernelFiles(), LAYERS);
    const { options, check, create } = member(builtIn.serviceTimes, "gpu-table");
    for (const given of [kernels, coarser(kernels)]) {
      const spec = withDefaults(options, tableOf(given));
      expect(check!(spec)).toEqual([]);
      const model = create(spec);
      for (const [decodes, kv, chunk] of [
        [1, 16, 0],
        [40, 700, 0],
        [0, 0, 100],
        [40, 700, 600],
        [64, 4096, 1024],
      ] as const) {
        const shape = {
          decodes,
          sumKv: decodes * kv,
          prefillTokens: chunk,
          chunkCount: chunk > 0 ? 1 : 0,
          chunkTokens: Int32Array.of(chunk),
          chunkCached: Int32Array.of(0),
        };
        const exact = iteration(decodes, kv, chunk);
        // Times are kept with five digits, and the dense curve within half a per cent.
        expect(Math.abs(model.price(shape, 1) / 1e6 / exact - 1)).toBeLessThan(0.006);
      }
    }
    expect(tableOf(kernels)).toMatchObject({
      decodes: [1, 8, 64, 256],
      mixedDecodes: COUNTS,
      chunkKv: [0, 512, 2048],
    });
    expect((tableOf(coarser(kernels)).decodes as number[]).length).toBeLessThan(4);
  });

  test("of grids laid over each other the one that reaches furthest is kept, strays go", () => {
    const cells = (chunks: number[], kvs: number[]) =>
      chunks.flatMap((chunk) =>
        kvs.map((kv) => ({ chunk, cached: 0, decodes: 1, kv, ms: chunk + kv / 1e4 })),
      );
    const far = cells([16, 64, 256, 1024], [16, 64, 256, 1024, 4096]);
    const dense = cells([24, 36, 54, 81, 122], [512, 768, 1152, 1728, 2592, 3888]);
    const stray = cells([7], [99_999]);
    const { axes, ms: times } = completeGrid([...dense, ...far, ...stray], ["chunk", "kv"]);
    expect(axes).toEqual([
      [16, 64, 256, 1024],
      [16, 64, 256, 1024, 4096],
    ]);
    expect(times.slice(0, 2)).toEqual([16.002, 16.006]);
  });

  test("a curve keeps its corners when it is thinned", () => {
    const at = Array.from({ length: 101 }, (_, i) => i);
    const sharp = { at, ms: at.map((x) => (x < 40 ? 10 : 20 + x)) };
    expect(thinned(sharp, 0.001).at).toEqual([0, 39, 40, 100]);
  });

  test("what is missing is told: layers, files, columns, experts, a grid", () => {
    const [dense, heads, attention] = kernelFiles() as [InputFile, InputFile, InputFile];
    expect(() => readProfile([dense, heads, attention], null)).toThrow(/^missing --layers \(/);
    expect(() => readProfile([dense, attention], LAYERS)).toThrow(
      "missing: per_sequence.csv (a kernel profile",
    );
    expect(() => readProfile([dense, dense, heads, attention], LAYERS)).toThrow("too many: dense.csv");
    expect(() => readProfile([dense, heads, attention, table("moe.csv", [], [])], LAYERS)).toThrow(
      "moe.csv: experts are not supported",
    );
    expect(() => readProfile([table("x.csv", ["a"], [])], null)).toThrow(
      "x.csv:1: missing column: n_decode (a step-time CSV has: n_decode,",
    );
    const pure = { ...attention, rows: attention.rows.filter((row) => row.prefill_chunk === 0) };
    const { kernels } = readProfile([dense, heads, pure], LAYERS);
    expect(() => tableOf(kernels!)).toThrow("too few rows for a table");
    const broken = { ...heads, rows: [{ layer: "lm_head", sequences: 1, time_us: "x" }, ...heads.rows] };
    expect(() => readKernels([dense, { ...broken, lines: [2, 3, 4, 5, 6] }, attention], LAYERS)).toThrow(
      "p/per_sequence.csv:2: invalid time_us: x (a number at least 0)",
    );
  });
});

test("the figure compiles without a warning, and tells in words what it shows", () => {
  const points = grid(TRUTH, 0.1).map((step) => ({
    kind: step.prefillTokens > 0 ? "mixed" : "decode",
    measured: step.ms,
    fitted: ms(TRUTH, step.decodes, step.kvPerDecode, step.prefillTokens),
    size: step.tokens,
  }));
  for (const some of [points, points.slice(0, 1)]) {
    const spec = agreement({
      title: "t",
      points: some,
      quantity: "time (ms)",
      kinds: "kind",
      size: "tokens",
    });
    expect(warningsOf(spec)).toEqual([]);
    expect(String(spec.description)).toMatch(/mixed: \d+ points, mean absolute error [\d.]+ %, largest/);
  }
  expect(FORMS.map(({ name }) => name)).toEqual(["S3", "S4", "S5", "S6"]);
});
