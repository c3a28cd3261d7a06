/** Scenarios by name and by file; those of the package are the ones of the model page (§5). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileLayer } from "../../src/config/file-layer.js";
import { resolveStudy, type Study } from "../../src/config/study.js";
import { ConfigError } from "../../src/core/errors.js";
import { FileError, nodeFiles, type FileSystem } from "../../src/io/files.js";
import {
  isScenarioFile,
  listScenarios,
  loadScenario,
  SCENARIO_FOLDER,
  type Scenario,
} from "../../src/io/scenarios.js";

const study = ({ layer }: Scenario): Study =>
  resolveStudy([{ source: "defaults", values: { trials: 1, seed: 1, schedulers: ["hybrid"] } }, layer]);
const problem = (scenario: Scenario): string => {
  try {
    study(scenario);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "none";
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llmsim-scenarios-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("of the package", () => {
  test("are listed with what they say of themselves", async () => {
    const all = await listScenarios();
    expect(all.map(({ name, alias }) => [name, alias])).toEqual([
      ["demo1", undefined],
      ["demo2", undefined],
      ["demo3_b0_0", undefined],
      ["demo3_b0_64", "demo3"],
    ]);
    for (const { summary, source } of all) expect(summary !== "" && source !== "").toBe(true);
  });

  test("are named as their files, and right by the schema of scenario files", async () => {
    for (const file of await nodeFiles.list(SCENARIO_FOLDER)) {
      const text = await nodeFiles.readText(join(SCENARIO_FOLDER, file));
      expect((await fileLayer(text, file, "scenario")).issues).toEqual([]);
      expect(`${(JSON.parse(text) as { name: string }).name}.json`).toBe(file);
    }
  });

  const chat = {
    arrivals: { kind: "poisson", ratePerSecond: 2 },
    promptTokens: { kind: "lognormal", mu: 3.2764, sigma: 1.5201, min: 1, max: 2147483647 },
    outputTokens: { kind: "geometric", p: 0.0056, max: 1024 },
  };
  test.each([
    [
      "demo1",
      {
        arrivals: { kind: "poisson", ratePerSecond: 1 },
        promptTokens: { kind: "fixed", tokens: 1 },
        outputTokens: { kind: "fixed", tokens: 0 },
      },
      { kind: "exponential", cMs: 10, aMs: 0, b0: 0 },
      [10000, 1, null],
    ],
    [
      "demo2",
      {
        arrivals: { kind: "poisson", ratePerSecond: 2 },
        promptTokens: { kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
        outputTokens: { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
      },
      { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
      [2048, 1000, null],
    ],
    ["demo3_b0_64", chat, { kind: "affine", cMs: 45.5, aMs: 0.3, b0: 64 }, [2048, 1000, 64]],
    ["demo3", chat, { kind: "affine", cMs: 45.5, aMs: 0.3, b0: 64 }, [2048, 1000, 64]],
    ["demo3_b0_0", chat, { kind: "affine", cMs: 45.5, aMs: 0.3, b0: 0 }, [2048, 1000, null]],
  ])(
    "%s is that of the model page",
    async (name, workload, service, [maxTokens, maxSequences, chunkSize]) => {
      const scenario = await loadScenario(name, "/nowhere");
      expect(scenario.name).toBe(name);
      expect(scenario.layer.source).toBe(`scenario ${name}`);
      const { config } = study(scenario);
      expect(config.workload).toEqual(workload);
      expect(config.service).toEqual(service);
      expect(config.engine).toMatchObject({ maxTokens, maxSequences, chunkSize, replicas: 1 });
    },
  );

  test("an unknown name is answered with the known ones, and with the one that was meant", async () => {
    const known = "(one of: demo1, demo2, demo3_b0_0, demo3, demo3_b0_64, or a file)";
    expect(problem(await loadScenario("dmeo3", "."))).toBe(
      `unknown scenario: dmeo3 ${known} — did you mean demo3?`,
    );
    expect(problem(await loadScenario("production", "."))).toBe(`unknown scenario: production ${known}`);
    for (const name of ["", "__proto__", "demo2\0", "x".repeat(1e5)])
      expect(problem(await loadScenario(name, "."))).toMatch(/^unknown scenario: .{0,62} \(one of: /);
  });
});

describe("by file", () => {
  const text = `name: anything
summary: mine
workload:
  arrivals: { kind: deterministic, ratePerSecond: 1 }
  promptTokens: { kind: fixed, tokens: 10 }
  outputTokens: { kind: uniform, min: 1, max: 3 }
service: { kind: affine, cMs: 5 }
`;

  test("paths and names with an extension are files", () => {
    for (const file of ["./a", "a/b", "/a", "..\\a", "a.json", "a.yaml", "a.YML", "demo2.json"])
      expect(isScenarioFile(file)).toBe(true);
    for (const name of ["demo2", "demo3_b0_64", "a.txt", "json", ""])
      expect(isScenarioFile(name)).toBe(false);
  });

  test("relative to the current folder, in YAML or JSON; the file's name is the scenario's", async () => {
    await writeFile(join(folder, "mine.yaml"), text);
    const scenario = await loadScenario("./mine.yaml", folder);
    expect(scenario.name).toBe("mine");
    const { config, origins } = study(scenario);
    expect(config.service).toEqual({ kind: "affine", cMs: 5, aMs: 0, b0: 0 });
    expect(origins.get("workload.promptTokens.tokens")).toBe("./mine.yaml:5");
    await writeFile(
      join(folder, "other.json"),
      `\ufeff${JSON.stringify({ workload: config.workload, service: config.service })}`,
    );
    expect((await loadScenario(join(folder, "other.json"), "/")).name).toBe("other");
  });

  test("problems come with file and line, and only once", async () => {
    await writeFile(
      join(folder, "bad.yaml"),
      text.replace("tokens: 10", "tokns: 10").replace("cMs: 5", "cMs: -5"),
    );
    const scenario = await loadScenario("bad.yaml", folder);
    expect(problem(scenario).split("\n")).toEqual([
      "bad.yaml:5: missing workload.promptTokens.tokens (an integer at least 0 and at most 2147483647)",
      "bad.yaml:5: unknown key: workload.promptTokens.tokns (fixed has: kind, tokens) — did you mean workload.promptTokens.tokens?",
      "bad.yaml:7: invalid service.cMs: -5 (a number at least 0 and at most 1000000)",
    ]);
    await writeFile(join(folder, "cut.json"), '{"workload": {"arrivals": ');
    expect(problem(await loadScenario("cut.json", folder))).toMatch(/^cut\.json:1:\d+: /);
  });

  test("a file that cannot be read is the machine's fault, named as the user named it", async () => {
    await expect(loadScenario("./none.yaml", folder)).rejects.toThrow(
      new FileError("read", "./none.yaml", "no such file or directory"),
    );
    const broken: FileSystem = {
      ...nodeFiles,
      list: () => Promise.reject(new FileError("read", "x", "input/output error")),
    };
    await expect(loadScenario("demo2", folder, broken)).rejects.toBeInstanceOf(FileError);
  });
});
