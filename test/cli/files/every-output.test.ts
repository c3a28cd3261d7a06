/**
 * Over all commands: what they write is known before they simulate, never goes over a file that they read, nor over one
 * of the user's. A command, or a flag that names a file, which is added must be added here.
 */
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { describe, expect, vi } from "vitest";
import { describe as describeCommand } from "../../../src/cli/command.js";
import { describeMerge } from "../../../src/cli/merge.js";
import { EXPERIMENTS } from "../../../src/experiments/index.js";
import type { Executor } from "../../../src/run/executor.js";
import { type Case, CASES, prepared } from "./every-command.js";
import { contents, llmsim, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));
vi.mock("../../../src/io/gif.js", () => ({
  renderGif: () => Promise.resolve({ gif: new Uint8Array(1), still: new Uint8Array(1) }),
}));
/** Tasks that were simulated. */
const simulated = vi.hoisted(() => ({ tasks: 0 }));
vi.mock("../../../src/run/in-process.js", async (original) => {
  const real = await original<{ inProcess: (...given: never[]) => Executor }>();
  return {
    inProcess: (...given: never[]): Executor => {
      const inner = real.inProcess(...given);
      return { ...inner, run: (task) => (simulated.tasks++, inner.run(task)) };
    },
  };
});

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

test.runIf(process.env.LLMSIM_LONG === "1")("demo writes what is said of it", async ({ folder }) => {
  const { args, files } = CASES.demo!;
  expect(await filesOf({ args }, folder)).toEqual(files!());
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
