/** The package as its users get it: packed, unpacked elsewhere, run, imported, type-checked. */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

const exec = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  name: string;
  version: string;
  license: string;
  publishConfig: object;
  engines: { node: string };
  exports: Record<string, string | { types: string; default: string }>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
};

describe("package.json", () => {
  test("names exact versions only, so that everybody runs the same code", () => {
    const { dependencies, devDependencies, optionalDependencies = {} } = manifest;
    for (const [name, asked] of Object.entries({
      ...dependencies,
      ...devDependencies,
      ...optionalDependencies,
    }))
      expect(asked, name).toMatch(/^(npm:@?[\w/.-]+@)?\d+\.\d+\.\d+$/);
  });
  test("has a lock file that agrees with it", () => {
    const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
      packages: Record<string, { dependencies?: object; devDependencies?: object }>;
    };
    expect(lock.packages[""]!.dependencies).toEqual(manifest.dependencies);
    expect(lock.packages[""]!.devDependencies).toEqual(manifest.devDependencies);
  });
  test("is MIT, for Node 20.19 and later, with at most 14 dependencies", () => {
    expect(manifest.license).toBe("MIT");
    expect(readFileSync(join(ROOT, "LICENSE"), "utf8")).toMatch(/^MIT License/);
    expect(manifest.engines.node).toBe(">=20.19");
    expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(14);
  });
});

describe("the workflow that publishes it", () => {
  const workflow = parse(readFileSync(join(ROOT, ".github/workflows/publish.yml"), "utf8")) as {
    on: { push: object };
    permissions: object;
    jobs: Record<string, { needs?: string; permissions?: object; steps: { run?: string; env?: object }[] }>;
  };
  const { test: tested, publish } = workflow.jobs;
  const runs = (job = publish): string => job!.steps.map(({ run = "" }) => run).join("\n");

  test("runs for a tag v*, which must be the version, after all that every push must pass", () => {
    expect(workflow.on).toEqual({ push: { tags: ["v*"] } });
    expect(runs(tested)).toMatch(
      /"\.\/package\.json"\)\.version[^]*GITHUB_REF_NAME[^]*exit 1[^]*\n\.ci\/run\n/,
    );
    expect(publish!.needs).toBe("test");
  });

  test("states where the package comes from, and lets only the job that publishes", () => {
    expect(runs()).toContain("npm publish --provenance --access public");
    expect(publish!.permissions).toEqual({ contents: "read", "id-token": "write" });
    expect([workflow.permissions, tested!.permissions]).toEqual([{ contents: "read" }, undefined]);
    expect(JSON.stringify(tested)).not.toContain("secrets.");
    expect(manifest.publishConfig).toEqual({ access: "public", provenance: true });
  });
});

test("workflows name actions by commit, which nobody can move as one can a tag; the tag stands beside it", () => {
  const folder = join(ROOT, ".github/workflows");
  const used = readdirSync(folder).flatMap((file) =>
    readFileSync(join(folder, file), "utf8")
      .split("\n")
      .filter((line) => /\buses:/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(used.length).toBeGreaterThanOrEqual(8);
  expect(
    used.filter((line) => !/^[\w.]+: - uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)),
  ).toEqual([]);
});

describe("the packages that come with it", () => {
  interface Locked {
    readonly dev?: boolean;
    readonly optional?: boolean;
    readonly os?: readonly string[];
    readonly cpu?: readonly string[];
    readonly integrity?: string;
    readonly hasInstallScript?: boolean;
  }
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  /** What one machine installs: of the packages for one platform each, its own. */
  const installed = production.filter(
    ([, { os = ["linux"], cpu = ["x64"] }]) => os.includes("linux") && cpu.includes("x64"),
  );

  test("are at most 100", () => {
    expect(installed.length).toBeGreaterThan(50);
    expect(installed.length).toBeLessThanOrEqual(100);
  });

  test("run nothing when they are installed, by the lock file and by their own", () => {
    expect(production.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
    for (const [path] of installed) {
      const file = join(ROOT, path, "package.json");
      if (!existsSync(file)) continue; // for another platform or libc
      const { scripts = {} } = JSON.parse(readFileSync(file, "utf8")) as { scripts?: Record<string, string> };
      for (const name of ["preinstall", "install", "postinstall"])
        expect(scripts[name], path).toBeUndefined();
    }
  });

  test("are pinned by the hash of their content", () => {
    for (const [path, { integrity }] of Object.entries(packages))
      if (path !== "") expect(integrity, path).toMatch(/^sha512-/);
  });
});

describe("the packed package, unpacked elsewhere", () => {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-package-"));
  const installed = join(folder, "node_modules", "llmsim");
  const bin = join(installed, "bin", "llmsim.js");
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(async () => {
    // As `npm install llmsim.tgz` lays it out, without the network: its dependencies are the repository's.
    const { stdout } = await exec(
      "npm",
      ["pack", "--ignore-scripts", "--json", "--pack-destination", folder],
      {
        cwd: ROOT,
      },
    );
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    mkdirSync(installed, { recursive: true });
    await exec("tar", ["-xzf", join(folder, filename), "--strip-components=1", "-C", installed]);
    for (const name of Object.keys(manifest.dependencies))
      symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  });

  test("holds what is needed to run and nothing of its making", () => {
    for (const file of [
      "package.json",
      "LICENSE",
      "README.md",
      "SECURITY.md",
      "bin/llmsim.js",
      "dist/bundle/main.js",
      "dist/bundle/worker.js",
      "dist/bundle/png-worker.js",
      "dist/bundle/index.js",
      "dist/run/worker-entry.cjs",
      "dist/io/png-worker-entry.cjs",
      "dist/index.d.ts",
      "dist/schemas/study.schema.json",
      "dist/schemas/run-output.schema.json",
      "data/scenarios/demo2.json",
      "data/hardware/h100_llama-3.1-8b.json",
    ])
      expect(existsSync(join(installed, file)), file).toBe(true);
    for (const name of ["src", "test", "node_modules", "data/demo", "figs", ".github"])
      expect(existsSync(join(installed, name)), name).toBe(false);
  });

  test("its command prints its version and runs, with threads", async () => {
    const version = await exec(process.execPath, [bin, "--version"], { cwd: folder });
    expect(version).toEqual({ stdout: `${manifest.version}\n`, stderr: "" });
    const argv = ["run", "--ntrials", "1", "--tmax", "100", "--workers", "2"];
    const { stdout } = await exec(process.execPath, [bin, ...argv], { cwd: folder });
    expect(stdout.split("\n")[0]).toMatch(/^\S+ has the lowest P95 response time, [\d.]+ s; /);
    expect(stdout).toContain("note: one trial: no interval");
  });

  test("its library simulates, and says the same as the command", async () => {
    const script = `
      import { simulate, METRICS, ConfigError, mm1, summarize } from "llmsim";
      import scenario from "llmsim/package.json" with { type: "json" };
      const config = {
        workload: {
          arrivals: { kind: "poisson", ratePerSecond: 2 },
          promptTokens: { kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
          outputTokens: { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
        },
        service: { kind: "affine", cMs: 10, aMs: 0.5 },
        scheduler: { kind: "hybrid" },
        horizon: { tmaxSeconds: 100 },
      };
      const { metrics } = simulate(config, { seed: 5 });
      let refused = "";
      try { simulate({ ...config, horizon: { tmaxSeconds: 0 } }); } catch (error) { refused = error instanceof ConfigError ? "ConfigError" : String(error); }
      console.log(JSON.stringify({ version: scenario.version, metrics, refused, count: METRICS.length,
        mm1: mm1(50, 100).responseTime, mean: summarize([1, 2, 3]).mean }));`;
    writeFileSync(join(folder, "use.js"), script);
    const used = JSON.parse((await exec(process.execPath, ["use.js"], { cwd: folder })).stdout) as {
      metrics: Record<string, number>;
    };
    expect(used).toMatchObject({ version: manifest.version, refused: "ConfigError", mm1: 0.02, mean: 2 });

    const argv = "run --ntrials 1 --tmax 100 --seed 5 --workers 0 --scheduler hybrid --json".split(" ");
    const { stdout } = await exec(process.execPath, [bin, ...argv], { cwd: folder });
    const { results } = JSON.parse(stdout) as { results: [{ metrics: Record<string, { mean: number }> }] };
    const told = Object.entries(results[0].metrics).map(([name, { mean }]) => [name, mean]);
    expect(Object.fromEntries(told)).toEqual(used.metrics);
  });

  test("its types are there: right use compiles, wrong use does not", async () => {
    const right = `
      import { simulate, summarize, type Metrics, type PartialConfig, type SchedulerDefinition } from "llmsim";
      const config: PartialConfig = {
        workload: {
          arrivals: { kind: "poisson", ratePerSecond: 2 },
          promptTokens: { kind: "fixed", tokens: 1 },
          outputTokens: { kind: "fixed", tokens: 1 },
        },
        service: { kind: "affine", cMs: 10 },
        scheduler: { kind: "hybrid" },
      };
      const metrics: Metrics = simulate(config, { seed: 1 }).metrics;
      export const mean: number = summarize([metrics.ttft_mean_s!]).mean;
      export type Own = SchedulerDefinition;\n`;
    const wrong = right.replace("seed: 1", 'seed: "one"').replace("cMs: 10 }", "cMs: 10 }, scheduling: 1");
    writeFileSync(join(folder, "right.ts"), right);
    writeFileSync(join(folder, "wrong.ts"), wrong);
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2023"];
    const complaints = await exec(process.execPath, [tsc, ...flags, "right.ts", "wrong.ts"], {
      cwd: folder,
    }).then(
      () => [],
      ({ stdout }: { stdout: string }) => stdout.trimEnd().split("\n"),
    );
    expect(complaints).toHaveLength(2);
    expect(complaints[0]).toMatch(/^wrong\.ts.*'scheduling' does not exist in type 'PartialConfig'/);
    expect(complaints[1]).toMatch(/^wrong\.ts.*Type 'string' is not assignable to type 'number'/);
  });

  test("everything inside is closed to importers but what it exports", async () => {
    const reach = `import("llmsim/dist/cli/main.js").then(() => "open", ({ code }) => code).then(console.log)`;
    const { stdout } = await exec(process.execPath, ["--input-type=module", "-e", reach], { cwd: folder });
    expect(stdout).toBe("ERR_PACKAGE_PATH_NOT_EXPORTED\n");
    expect(Object.keys(manifest.exports)).toEqual([".", "./schemas/*", "./package.json"]);
    const schema = `import schema from "llmsim/schemas/study.schema.json" with { type: "json" }; console.log(schema.title)`;
    const told = await exec(process.execPath, ["--input-type=module", "-e", schema], { cwd: folder });
    expect(told.stdout).toBe("llmsim study\n");
  });
});
