/** Hardware by name and by file: the shipped files hold what they say, and bad ones are refused with their place. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileLayer } from "../../src/config/file-layer.js";
import { HARDWARE_VERSION } from "../../src/config/hardware-keys.js";
import { resolveStudy } from "../../src/config/study.js";
import { withDefaults } from "../../src/core/options/check-options.js";
import type { Spec } from "../../src/core/options/definition.js";
import { ConfigError } from "../../src/core/errors.js";
import { builtIn, member } from "../../src/core/configuration/registry.js";
import { FileError, nodeFiles } from "../../src/io/files.js";
import {
  ASSUMED_LIMITS,
  HARDWARE_FOLDER,
  hardwareAlone,
  hardwareName,
  listHardware,
  loadHardware,
  serverLimits,
} from "../../src/io/hardware.js";
import { loadScenario } from "../../src/io/scenarios.js";

const NAMES = [
  "a100_llama-3.1-8b",
  "h100_llama-3.1-70b_tp4",
  "h100_llama-3.1-8b",
  "h100_qwen3-14b",
  "rtx4090_llama-3.1-8b",
  "rtxpro6000_llama-3.1-8b",
];

interface Region {
  readonly steps: number;
  readonly meanPct: number;
  readonly p95Pct: number;
  readonly maxPct: number;
}
interface Hardware {
  readonly version: number;
  readonly name: string;
  readonly licence: string;
  readonly service: Spec & Record<"cMs" | "a1Ms" | "aMs" | "b0" | "kMs" | "kmMs", number>;
  readonly overheads: { readonly h: number; readonly f: number; readonly fittedOn: string };
  readonly validity: Record<string, [number, number]>;
  readonly fit: Omit<Region, "p95Pct"> & {
    form: string;
    heldOutPct: number;
    regions: Record<string, Region>;
    measured?: Region;
  };
  readonly leavesOut: string;
}

const shipped = new Map<string, Hardware>();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llmsim-hardware-"));
  for (const name of NAMES)
    shipped.set(
      name,
      JSON.parse(await nodeFiles.readText(join(HARDWARE_FOLDER, `${name}.json`))) as Hardware,
    );
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** S in ms of a batch, kernels alone. */
function pricer({ service }: Hardware): (decodes: number, sumKv: number, prefill: number) => number {
  const { options, create } = member(builtIn.serviceTimes, service.kind);
  const model = create(withDefaults(options, service));
  return (decodes, sumKv, prefill) =>
    model.price(
      {
        decodes,
        sumKv,
        prefillTokens: prefill,
        chunkCount: prefill > 0 ? 1 : 0,
        chunkTokens: Int32Array.of(prefill),
        chunkCached: Int32Array.of(0),
      },
      1,
    ) / 1e6;
}

test("the package has the hardware that it names, each by the schema of its files", async () => {
  expect((await listHardware()).map(({ name }) => name)).toEqual(NAMES);
  for (const file of await nodeFiles.list(HARDWARE_FOLDER)) {
    const text = await nodeFiles.readText(join(HARDWARE_FOLDER, file));
    expect((await fileLayer(text, file, "hardware")).issues, file).toEqual([]);
    expect(`${(JSON.parse(text) as Hardware).name}.json`).toBe(file);
  }
});

describe.each(NAMES)("hardware %s", (name) => {
  test("says where it comes from, how far it holds, how wrong it is and what it leaves out", () => {
    const { version, licence, overheads, validity, fit, leavesOut, service } = shipped.get(name)!;
    expect([version, licence]).toEqual([HARDWARE_VERSION, expect.stringMatching(/^(MIT|Apache-2\.0)$/)]);
    expect(overheads).toEqual({ h: 0.5, f: 1.05, fittedOn: "rtxpro6000_llama-3.1-8b measured run" });
    for (const [least, most] of Object.values(validity)) expect(least).toBeLessThan(most);
    expect(validity.batchTokens).toEqual([1, 2048]);
    expect(leavesOut).toMatch(/kernel times only/);
    // Where mixed batches were not measured km is not known, and the file says so.
    expect(fit.form).toBe(service.kmMs > 0 ? "S6" : "S5");
    expect(/km is unknown/.test(leavesOut)).toBe(service.kmMs === 0);
  });

  test("its errors agree with each other, and a decode's is within the goal of 5 %", () => {
    const { fit } = shipped.get(name)!;
    const { decode, prefill, mixed, smallBatch, largeBatch, smallKv, largeKv } = fit.regions;
    for (const parts of [
      [decode, prefill, mixed],
      [smallBatch, largeBatch],
      largeKv ? [smallKv, largeKv] : [smallKv],
    ]) {
      expect(parts.reduce((sum, part) => sum + part!.steps, 0)).toBe(fit.steps);
      const mean = parts.reduce((sum, part) => sum + part!.steps * part!.meanPct, 0) / fit.steps;
      expect(Math.abs(mean - fit.meanPct)).toBeLessThan(0.011);
      expect(Math.max(...parts.map((part) => part!.maxPct))).toBe(fit.maxPct);
    }
    // A design is fitted where kernels were measured one by one; how far the fit is from those is told as well.
    expect(fit.measured !== undefined).toBe(fit.form === "S6");
    if (fit.measured) expect(fit.measured.meanPct).toBeLessThan(6);
    for (const { meanPct, p95Pct, maxPct } of [...Object.values(fit.regions), fit.measured ?? decode!]) {
      expect(meanPct).toBeLessThanOrEqual(p95Pct);
      expect(p95Pct).toBeLessThanOrEqual(maxPct);
    }
    expect(fit.heldOutPct).toBeGreaterThan(fit.meanPct * 0.98);
    expect(fit.heldOutPct).toBeLessThan(5);
    expect(decode!.meanPct).toBeLessThan(5);
  });

  test("more tokens and more cached tokens take longer, a mixed batch no less than its sides", () => {
    const hardware = shipped.get(name)!;
    const price = pricer(hardware);
    const most = hardware.validity.sumKv![1];
    for (let b = 1; b < 2048; b++) expect(price(0, 0, b + 1)).toBeGreaterThan(price(0, 0, b));
    for (let share = 0; share < 1; share += 0.05)
      for (const [decodes, prefill] of [
        [1, 0],
        [64, 0],
        [256, 0],
        [64, 512],
      ] as const) {
        const [at, next] = [share, share + 0.05].map((s) => price(decodes, s * most, prefill));
        expect(next).toBeGreaterThan(at!);
        expect(price(decodes, share * most, prefill + 100)).toBeGreaterThan(at!);
      }
  });

  test("is physically possible: reading the weights and the cache once takes no less than memory allows", () => {
    // Published peak bandwidths (GB/s), weights in bf16 and KV bytes a token of all layers, over the GPUs used.
    const limits: Record<string, readonly [gbs: number, weightsGb: number, kvBytes: number]> = {
      h100: [3350, 15, 131_072],
      a100: [2039, 15, 131_072],
      rtx4090: [1008, 15, 131_072],
      rtxpro6000: [1792, 15, 131_072],
      "h100_qwen3-14b": [3350, 28, 163_840],
      "h100_llama-3.1-70b_tp4": [4 * 3350, 140, 327_680],
    };
    const [gbs, weights, kv] = (limits[name] ?? limits[name.split("_")[0]!])!;
    const { service } = shipped.get(name)!;
    const read = (weights / gbs) * 1000;
    expect(service.cMs).toBeGreaterThan(read);
    expect(service.cMs).toBeLessThan(2 * read);
    const cached = kv / gbs / 1e6;
    expect(service.kMs).toBeGreaterThan(0.9 * cached);
    expect(service.kMs).toBeLessThan(2 * cached);
  });
});

describe("as a layer", () => {
  const defaults = { source: "defaults", values: { trials: 1, seed: 1, schedulers: ["hybrid"] } };
  const service = { kind: "gpu", cMs: 6.33343, a1Ms: 0.0100758, aMs: 0.019726, b0: 395 };

  test("lies over the scenario and under what is set by hand; --profile-only leaves the overheads out", async () => {
    const { layer: scenario } = await loadScenario("demo2", ".");
    const hardware = await loadHardware("h100_llama-3.1-8b", ".", false);
    const { config } = resolveStudy([defaults, scenario, hardware]);
    expect(config.workload).toEqual(resolveStudy([defaults, scenario]).config.workload);
    expect(config.service).toMatchObject({ ...service, hMs: 0.5, f: 1.05 });
    const bare = await loadHardware("h100_llama-3.1-8b", ".", true);
    expect(resolveStudy([defaults, scenario, bare]).config.service).toMatchObject({
      ...service,
      hMs: 0,
      f: 1,
    });
    const set = { source: "--set", values: { service: { aMs: 0.04 } } };
    const changed = resolveStudy([defaults, scenario, hardware, set]);
    expect(changed.config.service).toMatchObject({ ...service, aMs: 0.04, hMs: 0.5 });
    expect(changed.origins.get("service.cMs")).toBe("hardware h100_llama-3.1-8b");
  });

  test("nothing of a scenario's own service times is left", async () => {
    const before = { source: "before", values: { service: { kind: "gpu", cMs: 1, kmMs: 9, f: 7 } } };
    const { layer: scenario } = await loadScenario("demo2", ".");
    const hardware = await loadHardware("h100_llama-3.1-8b", ".", true);
    expect(resolveStudy([defaults, scenario, before, hardware]).config.service).toMatchObject({
      kmMs: 0,
      f: 1,
    });
  });

  test("alone it brings its server's limits and scheduler; what the file does not say is assumed", async () => {
    const { layer: scenario } = await loadScenario("demo3", ".");
    const of = async (limits: object | undefined): Promise<(string | number | null | undefined)[]> => {
      const { source, values } = await loadHardware("h100_llama-3.1-8b", ".", false);
      const hardware = { source, values, ...(limits && { limits }) };
      const study = resolveStudy([defaults, scenario, ...hardwareAlone(hardware), hardware]);
      const { maxTokens, maxSequences, chunkSize } = study.config.engine;
      const origins = ["maxTokens", "maxSequences"].map((key) => study.origins.get(`engine.${key}`));
      return [maxTokens, maxSequences, chunkSize, study.schedulers[0]!.kind, ...origins];
    };
    expect(await of(undefined)).toEqual([2048, 256, null, "vllm", "assumed", "assumed"]);
    const said = "hardware h100_llama-3.1-8b";
    expect(await of({ maxTokens: 512 })).toEqual([512, 256, null, "vllm", said, "assumed"]);
    expect(await of({ maxTokens: 8192, maxSequences: 1024 })).toEqual([8192, 1024, null, "vllm", said, said]);
    const [first] = hardwareAlone({ source: "", values: {} }, { ...builtIn, schedulers: [] });
    expect(first!.values.schedulers).toBeUndefined();
  });

  test.each(NAMES)("%s has what vLLM's server takes on its card, and how many there are", async (name) => {
    const { limits, gpus } = await loadHardware(name, ".", false);
    // 8192 and 1024 from 70 GiB on but for A100.
    const isLarge = /^(h100|rtxpro6000)_/.test(name);
    expect(limits).toEqual(isLarge ? { maxTokens: 8192, maxSequences: 1024 } : ASSUMED_LIMITS);
    expect(gpus).toBe(name.endsWith("_tp4") ? 4 : 1);
  });
});

describe("by file", () => {
  const valid = (): Record<string, unknown> =>
    structuredClone(shipped.get("rtx4090_llama-3.1-8b")!) as unknown as Record<string, unknown>;
  async function problems(text: string): Promise<string[]> {
    await writeFile(join(folder, "h.json"), text);
    const { issues = [], values } = await loadHardware("h.json", folder, false);
    if (issues.length > 0) expect(values).toEqual({});
    return issues.map(({ message }) => message);
  }
  const lines = (value: object): string => JSON.stringify(value, null, 2);

  test("a file of the package's own makes the same layer", async () => {
    expect(await problems(lines(valid()))).toEqual([]);
    const byFile = await loadHardware("h.json", folder, false);
    const byName = await loadHardware("rtx4090_llama-3.1-8b", ".", false);
    expect([byFile.values, byFile.limits, byFile.gpus]).toEqual([byName.values, byName.limits, byName.gpus]);
    // The file says where a limit comes from, as it does of all else.
    expect(serverLimits(byFile)[1]!.origin!("engine.maxTokens")).toMatch(
      /^h\.json:\d+:5: engine\.maxTokens$/,
    );
    expect(hardwareName("a/b/mine.json")).toBe("mine");
  });

  test("a newer version is refused as that, with line and column, whatever else it holds", async () => {
    expect(await problems(lines({ version: 2, nonsense: true }))).toEqual([
      "h.json:2:3: unknown version: 2 (at most 1: a newer llmsim wrote this file)",
    ]);
    expect(await problems(lines({ ...valid(), version: 1.5 }))).toEqual([
      "h.json:2:3: unknown version: 1.5 (at most 1: a newer llmsim wrote this file)",
    ]);
    expect(await problems(lines({ ...valid(), version: 0 }))).toEqual([
      "h.json:2:3: invalid version: 0 (an integer at least 1 and at most 1)",
    ]);
  });

  test("wrong values, unknown keys and missing parts, each with its line and column", async () => {
    const file = valid();
    const spoiled = lines({
      ...file,
      name: "",
      service: { ...(file.service as object), cMs: -1, aMss: 1 },
      overheads: { h: 0.5, f: 0.9, fittedOn: "x" },
      extra: 1,
    });
    const found = await problems(spoiled);
    expect(found).toEqual([
      'h.json:3:3: invalid name: "" (a text)',
      "h.json:12:5: invalid service.cMs: -1 (a number at least 0 and at most 1000000)",
      expect.stringMatching(
        /^h\.json:18:5: unknown key: service\.aMss \(gpu has: kind, cMs, .*\) — did you mean service\.aMs\?$/,
      ),
      "h.json:22:5: invalid overheads.f: 0.9 (a number at least 1 and at most 100)",
      expect.stringMatching(/^h\.json:\d+:3: unknown key: extra \(one of: version, name/),
    ]);
    expect(await problems(lines({ ...file, engine: { maxTokens: 0, maxSequence: 2 } }))).toEqual([
      expect.stringMatching(
        /^h\.json:\d+:5: invalid engine\.maxTokens: 0 \(an integer at least 1 and at most /,
      ),
      expect.stringMatching(
        /^h\.json:\d+:5: unknown key: engine\.maxSequence \(.*\) — did you mean engine\.maxSequences\?$/,
      ),
    ]);
    const rest = Object.fromEntries(
      Object.entries(file).filter(([key]) => key !== "overheads" && key !== "licence"),
    );
    expect(await problems(lines(rest))).toEqual([
      "h.json: missing licence (a text)",
      "h.json: missing overheads (keys: h, f, fittedOn)",
    ]);
    expect(await problems(lines({ ...file, service: { kind: "affine", cMs: 1 } }))).toEqual([
      expect.stringMatching(/^h\.json:\d+:5: unknown service-time model: affine \(one of: gpu, gpu-table\)/),
    ]);
  });

  test("no JSON, no keys, no file, no name", async () => {
    expect(await problems('{"version": 1,')).toEqual([expect.stringMatching(/^h\.json:1:\d+: /)]);
    expect(await problems("[1]")).toEqual(["invalid h.json: not a set of keys (a hardware file)"]);
    await expect(loadHardware("none.json", folder, false)).rejects.toThrow(FileError);
    const layer = await loadHardware("h100_llama-3.1-8", folder, false);
    expect(() => resolveStudy([layer])).toThrow(ConfigError);
    expect(layer.issues![0]!.message).toBe(
      `unknown hardware: h100_llama-3.1-8 (one of: ${NAMES.join(", ")}, or a file) — did you mean h100_llama-3.1-8b?`,
    );
  });
});
