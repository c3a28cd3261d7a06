/**
 * Over all commands: what they write is known before they simulate, never goes over a file that they read, nor over one
 * of the user's. A command, or a flag that names a file, which is added must be added here.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { describe, expect, vi } from "vitest";
import { describe as describeCommand } from "../../src/cli/command.js";
import { describeMerge } from "../../src/cli/merge.js";
import { EXPERIMENTS } from "../../src/experiments/index.js";
import type { Executor } from "../../src/run/executor.js";
import { GPU, hardwareFile, measuredRun } from "../experiments/measured-runs.js";
import { contents, llmsim, test } from "./session.js";

vi.mock("../../src/io/png.js", () => import("./light-pictures.js"));
vi.mock("../../src/io/gif.js", () => ({
  renderGif: () => Promise.resolve({ gif: new Uint8Array(1), still: new Uint8Array(1) }),
}));
/** Tasks that were simulated. */
const simulated = vi.hoisted(() => ({ tasks: 0 }));
vi.mock("../../src/run/in-process.js", async (original) => {
  const real = await original<{ inProcess: (...given: never[]) => Executor }>();
  return {
    inProcess: (...given: never[]): Executor => {
      const inner = real.inProcess(...given);
      return { ...inner, run: (task) => (simulated.tasks++, inner.run(task)) };
    },
  };
});

const SMALL = "--tmax 20 --ntrials 2 --scheduler hybrid";
const OWN = "--requests own.csv --timeline own.json";
const TIMES = `sweep-time ${SMALL} --windows 2`;

interface Case {
  readonly args: string;
  /** What must have been run before. */
  readonly after?: string;
  /** Its files, where it takes too long to be run here. */
  readonly files?: () => string[];
}

const DATA = fileURLToPath(new URL("../../data/", import.meta.url));
const FIGS = fileURLToPath(new URL("../../figs/", import.meta.url));

/** What is committed of the study. */
function reproduced(): string[] {
  const { steps } = JSON.parse(readFileSync(join(DATA, "manifest.json"), "utf8")) as {
    steps: Record<string, { csv: object }>;
  };
  const tables = Object.values(steps).flatMap(({ csv }) => Object.keys(csv));
  // Folders below are another command's: figs/hardware, and figs/demo once somebody has run `npm start`.
  const figures = Object.keys(contents(FIGS)).filter((name) => !/^measured|\//.test(name));
  return [
    ...[...tables, "manifest.json"].map((name) => `data/${name}`),
    ...figures.map((name) => `figs/${name}`),
  ];
}

const CASES: Readonly<Record<string, Case>> = {
  demo: { args: "demo" },
  run: { args: `run ${SMALL} ${OWN}` },
  sweep: { args: `sweep ${SMALL} --vary max-tokens=256,512` },
  compare: { args: `compare ${SMALL} --with max-tokens=256` },
  plan: { args: `plan ${SMALL} --slo ttft_p99=9s --max-replicas 2 --precision 0.2` },
  "sweep-time": { args: TIMES },
  stability: { args: `stability ${SMALL} --lambdas 1,2 --precision 0.2` },
  "sweep-chunk": { args: `sweep-chunk ${SMALL} --sizes 64` },
  hybrid: { args: "hybrid --scenario both --tmax 20 --ntrials 2 --npoints 2 --ratios 0.5" },
  validate: { args: "validate", files: () => ["data/validation.csv"] },
  "validate --measured": { args: "validate --measured run --hardware hw.json" },
  calibrate: { args: "calibrate steps.csv --name mine" },
  animate: { args: `animate --tmax 20 --scheduler hybrid --iterations 5` },
  explore: { args: `explore ${SMALL}` },
  plot: { args: "plot", after: TIMES },
  report: { args: "report", after: TIMES },
  reproduce: { args: "reproduce", files: reproduced },
  "reproduce --quick": { args: "reproduce --quick", files: () => ["data/quick/manifest.json"] },
};

const TRACE = `arrival_s,prompt_tokens,output_tokens\n${Array.from({ length: 40 }, (_, i) => `${i / 2},${20 + i},5`).join("\n")}\n`;
const STEPS = ["n_decode,kv_per_decode,prefill_tokens,batch_tokens,sum_kv,step_ms"]
  .concat(
    [1, 8, 32, 128].flatMap((decodes) =>
      [256, 1024].flatMap((kv) =>
        [0, 64, 512].map((prefill) =>
          [decodes, kv, prefill, decodes + prefill, decodes * kv, 10 + 0.04 * (decodes + prefill)].join(","),
        ),
      ),
    ),
  )
  .join("\n");
const MODEL = `name: mine
summary: x
source: x
workload:
  arrivals: { kind: poisson, ratePerSecond: 1 }
  promptTokens: { kind: fixed, tokens: 30 }
  outputTokens: { kind: fixed, tokens: 30 }
service: { kind: affine, cMs: 10 }
`;
const FILES: Readonly<Record<string, string>> = {
  "study.yaml": "seed: 3\n",
  "mine.yaml": MODEL,
  "hw.json": hardwareFile(GPU),
  "t.csv": TRACE,
  "steps.csv": `${STEPS}\n`,
  "server.log":
    "INFO 05-04 09:12:40 [scheduler.py:238] Chunked prefill is enabled with max_num_batched_tokens=4096.\n",
  "own.mjs": readFileSync(new URL("../../examples/my-scheduler.mjs", import.meta.url), "utf8"),
  ...Object.fromEntries(
    Object.entries(measuredRun(GPU, { maxTokens: 2048, maxSequences: 32 }, { count: 20 })).map(
      ([name, text]) => [`run/${name}`, text],
    ),
  ),
};

/** Each way to name a file to read: what is added to the command, and the file. `file` as an argument is calibrate's. */
const INPUTS: Readonly<Record<string, readonly [args: string, file: string]>> = {
  "--config": ["--config study.yaml", "study.yaml"],
  "--scenario": ["--scenario mine.yaml", "mine.yaml"],
  "--hardware": ["--hardware hw.json", "hw.json"],
  "--plugin": ["--plugin own.mjs", "own.mjs"],
  "--trace": ["--trace t.csv", "t.csv"],
  "--lengths-from": ["--lengths-from t.csv", "t.csv"],
  "--baseline": ["--baseline base.json", "base.json"],
  "--with": ["--with study2.yaml", "study2.yaml"],
  "--vary": ["--vary scenario=mine.yaml,demo2", "mine.yaml"],
  "--vllm-log": ["--vllm-log server.log", "server.log"],
  "--measured": ["", "run/requests.jsonl"],
  file: ["", "steps.csv"],
};
/** What a command does not take, and says so. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  explore: ["--trace", "--lengths-from"],
  stability: ["--trace"],
  validate: ["--hardware", "--plugin", "--measured"],
};

async function prepared(cwd: string, { after }: Case): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(cwd, dirname(name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  writeFileSync(join(cwd, "study2.yaml"), "engine: { maxTokens: 512 }\n");
  const base = await llmsim(`run ${SMALL} --workers 0 --quiet --json`, { cwd });
  writeFileSync(join(cwd, "base.json"), base.stdout);
  if (after === undefined) return;
  expect(await llmsim(`${after} --workers 0 --quiet`, { cwd })).toMatchObject({ code: 0 });
  rmSync(join(cwd, "figs"), { recursive: true });
}

/** The command, refused: no task was run, and no file is another. */
async function refused(args: string, cwd: string): Promise<string> {
  const before = contents(cwd);
  simulated.tasks = 0;
  const { code, stdout, stderr } = await llmsim(`${args} --workers 0 --quiet`, { cwd });
  expect([code, stdout, simulated.tasks], stderr).toEqual([2, "", 0]);
  expect(contents(cwd)).toEqual(before);
  return stderr;
}

/** The files that a command writes, by running it. */
async function filesOf(one: Case, cwd: string): Promise<string[]> {
  if (one.files) return one.files();
  const before = contents(cwd);
  expect(await llmsim(`${one.args} --workers 0 --quiet`, { cwd })).toMatchObject({ code: 0 });
  return Object.keys(contents(cwd)).filter((name) => !(name in before));
}

/** Flags of a command whose value is a file, a folder or a name that may be one; its argument is `file`. */
async function inputsOf(name: string): Promise<string[]> {
  const experiment = await EXPERIMENTS.find((one) => one.name === name.split(" ")[0])!.load();
  const command = new Command(name);
  describeCommand(command, experiment);
  const outputs = experiment.options.filter(({ kind }) => kind === "file").map(({ flag }) => flag);
  return [
    ...command.options
      .filter(({ flags }) => /<[^>]*(file|dir)[^>]*>|--with|--vary/.test(flags) && !outputs.includes(flags))
      .map(({ long }) => long!)
      .filter((flag) => !["--out-data", "--out-figs"].includes(flag)),
    ...command.registeredArguments.map((argument) => argument.name()),
  ];
}

test("all commands are here, and every flag that names a file to read", async () => {
  const names = [...new Set(Object.keys(CASES).map((name) => name.split(" ")[0]!))];
  expect(names.sort()).toEqual(EXPERIMENTS.map(({ name }) => name).sort());
  const flags = (await Promise.all(names.map(inputsOf))).flat();
  expect([...new Set(flags)].sort()).toEqual(Object.keys(INPUTS).sort());
  const merge = new Command("merge");
  describeMerge(merge);
  expect(merge.options.map(({ long }) => long)).toEqual(["--allow"]);
});

describe.each(Object.entries(CASES))("%s", (name, one) => {
  test("refuses, before it simulates, to replace what the user wrote or what it reads", async ({
    folder: cwd,
  }) => {
    const first = join(cwd, "first");
    mkdirSync(first);
    await prepared(first, one);
    // A manifest that cannot be read is told by itself (manifest.test.ts).
    const files = (await filesOf(one, first)).filter((file) => file !== "data/manifest.json");
    expect(files.length).toBeGreaterThan(0);

    const at = join(cwd, "second");
    mkdirSync(at);
    await prepared(at, one);
    const put = (names: readonly string[], make: (path: string) => void): void => {
      for (const name of names) {
        const path = join(at, name);
        mkdirSync(dirname(path), { recursive: true });
        rmSync(path, { force: true });
        make(path);
      }
    };
    put(files, (path) => writeFileSync(path, "mine\n"));
    const foreign = await refused(one.args, at);
    for (const file of files)
      expect(foreign).toContain(`: ${file} was not written by llmsim (--overwrite replaces it)\n`);

    for (const [i, flag] of (await inputsOf(name)).entries()) {
      const [args, input] = INPUTS[flag]!;
      const isOther =
        flag === "--measured" ? !name.includes("--measured") : flag === "--with" && name === "sweep";
      if (isOther || REFUSED[name]?.includes(flag)) continue;
      const rest = ["--hardware", "--vary", "--scenario"].includes(flag)
        ? one.args.replace(new RegExp(`${flag} \\S+`), "")
        : one.args;
      const command = `${rest} ${args}`;
      // Another scenario, or another key, and the files have other names.
      let names = files;
      if (flag === "--scenario" || flag === "--vary") {
        const third = join(cwd, flag);
        mkdirSync(third);
        await prepared(third, one);
        names = await filesOf({ args: command }, third);
      }
      put(names, (path) =>
        i % 2 === 0 ? linkSync(join(at, input), path) : symlinkSync(join(at, input), path),
      );
      const read = await refused(command, at);
      for (const file of names)
        expect(read, command).toContain(`: ${file} is an input of this run (name another place)\n`);
    }
  });
});
