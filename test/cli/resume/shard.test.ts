/**
 * `--shard i/n` and `merge`: the files of all shards make the bytes of the command alone, whatever the command and n;
 * what is missing, double, damaged or of another run is refused by name, and nothing is written.
 */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { EXPERIMENTS } from "../../../src/experiments/index.js";
import { nodeFiles } from "../../../src/io/files.js";
import { Interrupted } from "../../../src/run/interrupted.js";
import { headerLine, shardLine } from "../../../src/run/journal.js";
import { shareOf } from "../../../src/run/share.js";
import { contents, listing, llmsim, test } from "../session.js";

const shardsIn = (cwd: string): string[] =>
  readdirSync(join(cwd, "data"))
    .filter((name) => /\.shard-\d+-of-\d+$/.test(name))
    .map((name) => `data/${name}`);

const LONG = process.env.LLMSIM_LONG === "1";

// A picture is a function of its chart, and takes longer than all else here: the chart stands for it, but in the long mode.
vi.mock("../../../src/io/png.js", async (original) =>
  process.env.LLMSIM_LONG === "1"
    ? original()
    : { renderPng: (spec: object) => Promise.resolve(Buffer.from(JSON.stringify(spec))) },
);

/** Every command with trials to share out, in sizes of several tasks. */
const COMMANDS: Readonly<Record<string, string>> = {
  run: "run --tmax 500 --ntrials 45 --requests own/rows.csv --timeline t.json --timeline-limit 100 --assert rts_p95_s<9",
  "run --json": "run --tmax 500 --ntrials 45 --json --per-trial --seed 3",
  "hybrid of two scenarios":
    "hybrid --scenario both --ratios 0.3,0.7 --npoints 3 --tmax 20 --ntrials 3 --out-data d --out-figs f",
  sweep: "sweep --vary lam=1,2,3 --tmax 100 --ntrials 20 --scheduler hybrid",
  compare: "compare --with lam=3 --with lam=1,chunk-size=64 --tmax 100 --ntrials 20",
};

/** Other commands of one scenario, which share out as `run` does, and those that take long. */
const LENGTHY = {
  "sweep-time": "sweep-time --scenario demo2 --windows 10 --tmax 200 --ntrials 18",
  "sweep-chunk": "sweep-chunk --sizes 16,64 --tmax 300 --ntrials 35",
  demo: "demo",
  validate: "validate",
  explore: "explore --tmax 500 --ntrials 60",
};

describe.each(Object.entries({ ...COMMANDS, ...(LONG && LENGTHY) }))("%s", (_, command) => {
  test("the same bytes from 1 and from 3 shards as from none", async ({ folder }) => {
    const folders = ["whole", "1", "3"].map((name) => join(folder, name));
    const [whole] = folders as [string];
    for (const cwd of folders) mkdirSync(join(cwd, "own"), { recursive: true });
    const alone = await llmsim(`${command} --workers 0`, { cwd: whole });
    expect(alone).toMatchObject({ code: 0 });
    expect(alone.stdout).not.toContain("NaN");
    const files = contents(whole);

    for (const n of [1, 3]) {
      const cwd = join(folder, String(n));
      const told: { tasks: number; total: number }[] = [];
      for (let i = 1; i <= n; i++) {
        const { code, stdout, stderr } = await llmsim(`${command} --workers 0 --shard ${i}/${n} --quiet`, {
          cwd,
        });
        expect([code, stderr]).toEqual([0, ""]);
        const [, tasks, total] =
          /^shard \S+ of [\w-]+: (\d+) of (\d+) tasks, written to \S+\nwhen all/.exec(stdout) ??
          /"tasks": (\d+),\n {2}"total": (\d+),/.exec(stdout)!;
        told.push({ tasks: Number(tasks), total: Number(total) });
      }
      // Every task is in one shard, and shards are about equal.
      const sizes = told.map(({ tasks }) => tasks);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(told[0]!.total);
      expect(told[0]!.total).toBeGreaterThanOrEqual(2);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      const out = command.includes("--out-data d") ? "d" : "data";
      const shards = listing(cwd).filter((name) => /\.shard-/.test(name));
      // Nothing but the shards' own files.
      expect(Object.keys(contents(cwd)).sort()).toEqual(shards);
      expect(shards.every((name) => name.startsWith(`${out}/`))).toBe(true);
      expect(shards).toHaveLength(n);

      const merged = await llmsim(["merge", ...shards.reverse()], { cwd });
      expect(merged.code).toBe(0);
      // The command of the first shard says `--quiet`.
      expect(merged.stdout.replace(" --workers 0 --quiet\n", " --workers 0\n")).toBe(alone.stdout);
      for (const name of shards) rmSync(join(cwd, name));
      expect(contents(cwd)).toEqual(files);
    }
  }, 900_000);
});

const RUN = "run --tmax 500 --ntrials 180 --scheduler hybrid --workers 0 --quiet";

describe("what is refused", () => {
  let made = "";
  beforeAll(async () => {
    made = mkdtempSync(join(tmpdir(), "llmsim-"));
    for (const i of [1, 2, 3]) expect((await llmsim(`${RUN} --shard ${i}/3`, { cwd: made })).code).toBe(0);
  });
  afterAll(() => rmSync(made, { recursive: true }));
  /** Three shards of a run, put into `cwd`. */
  function shards(cwd: string): string[] {
    cpSync(made, cwd, { recursive: true });
    return shardsIn(cwd);
  }
  async function refused(
    names: readonly string[],
    cwd: string,
    flags: readonly string[] = [],
  ): Promise<string> {
    const before = contents(cwd);
    const { code, stdout, stderr } = await llmsim(["merge", ...names, ...flags], { cwd });
    expect([code, stdout]).toEqual([2, ""]);
    expect(contents(cwd)).toEqual(before);
    expect(stderr).not.toMatch(/\n {4}at /);
    return stderr.replace(/^merge: .*\n/, "");
  }

  test("gaps, overlaps, foreign and damaged files, each by name", async ({ folder: cwd }) => {
    const [one, two, three] = shards(cwd) as [string, string, string];
    expect(await refused([one, three], cwd)).toBe(
      `error: ${one}: of 3 shards 1 missing: 2/3 (give the files of all)\n`,
    );
    expect(await refused([two], cwd)).toBe(
      `error: ${two}: of 3 shards 2 missing: 1/3, 3/3 (give the files of all)\n`,
    );
    copyFileSync(join(cwd, two), join(cwd, "copy"));
    expect(await refused([one, two, three, "copy"], cwd)).toBe(
      `error: copy: overlaps ${two}: both are shard 2/3 (give each once)\n`,
    );
    expect(await refused([one, two, three, "gone"], cwd)).toBe(
      "error: cannot read gone: no such file or directory\n",
    );

    // Of another seed, of another number of shards, of another command, of another check.
    for (const [i, [flags, why]] of (
      [
        [`${RUN} --seed 2 --shard 2/3`, "seed: 1 → 2"],
        [`${RUN} --shard 2/4`, "shards: 3 → 4"],
        [`${RUN} --verify --shard 2/3`, "verify: false → true"],
        [`sweep-chunk --sizes 16 --tmax 90 --ntrials 3 --shard 2/3 --quiet --workers 0`, "run → sweep-chunk"],
      ] as const
    ).entries()) {
      const other = `other${i}`;
      expect((await llmsim(`${flags} --out-data ${other}`, { cwd })).code).toBe(0);
      const [name] = readdirSync(join(cwd, other));
      expect(await refused([one, `${other}/${name}`, three], cwd)).toBe(
        `error: ${other}/${name}: of another run than ${one}: ${why}\n`,
      );
    }
  });

  test("a file that is damaged anywhere", async ({ folder: cwd }) => {
    const names = shards(cwd);
    const path = join(cwd, names[1]!);
    const sound = readFileSync(path);
    const every = Math.ceil(sound.length / 60);
    for (let at = 0; at < sound.length; at += every) {
      const flipped = Buffer.from(sound);
      flipped[at]! ^= 1 << (at % 7);
      writeFileSync(path, flipped);
      expect(await refused(names, cwd)).toMatch(new RegExp(`^error: (cannot read )?${names[1]}[:\\d]*: `));
      writeFileSync(path, sound.subarray(0, at));
      expect(await refused(names, cwd)).toMatch(
        new RegExp(`^error: ${names[1]}[:\\d]*: .*run that shard again`),
      );
    }
    // A line twice, or one of another shard, is found by their number.
    const lines = sound.toString("latin1").split("\n");
    writeFileSync(path, [...lines.slice(0, -1), lines[1], ""].join("\n"));
    expect(await refused(names, cwd)).toMatch(/tasks: the file is not whole/);
    writeFileSync(path, sound);
    expect((await llmsim(["merge", ...names], { cwd })).code).toBe(0);
  });

  test("files that are none of --shard, and headers that lie", async ({ folder: cwd }) => {
    const names = shards(cwd);
    const path = join(cwd, names[0]!);
    const [first, ...rest] = readFileSync(path, "latin1").split("\n");
    const header = JSON.parse(first!.slice(first!.indexOf("{"))) as Parameters<typeof headerLine>[0];
    const withHeader = (changes: object): void => {
      writeFileSync(
        path,
        headerLine({ ...header, ...changes }).toString("latin1") + rest.join("\n"),
        "latin1",
      );
    };
    const settings: Readonly<Record<string, unknown>> = header.settings;
    for (const [changes, why] of [
      [{ core: "c0de" }, "made by another build of llmsim"],
      [{ program: "9.9.9" }, "made by llmsim 9.9.9, and this is"],
      [{ shard: undefined }, "a journal, not a file of --shard"],
      [{ shard: { index: 2, count: 1 } }, "a journal, not a file of --shard"],
      [{ shard: null }, "a journal, not a file of --shard"],
      [{ settings: null }, "a journal that does not say of what run it is"],
      [{ argv: ["--help"] }, "its command line is none of a command: llmsim --help"],
      [{ argv: ["run", "--help"] }, "its command line is none of a command"],
      [{ argv: [] }, "its command line is none of a command"],
      [{ argv: "rm -rf" }, "a journal, not a file of --shard"],
      [{ version: 7 }, "journal version 7"],
      [{ total: 99 }, "tasks: 99 → "],
      [
        { argv: [...RUN.split(" "), "--seed", "5"] },
        "its command line means something else here: seed: 1 → 5",
      ],
      [{ argv: ["stability"] }, "run → stability"],
      [{ argv: ["merge", "x"] }, "its command line is none of a command: llmsim merge x"],
      [
        { argv: [...RUN.split(" "), "--out-data", "../up"] },
        "--out-data ../up is outside this folder (to let it: --allow ../up)",
      ],
      [
        { argv: [...RUN.split(" "), "--requests", "/tmp/x.csv"] },
        "--requests /tmp/x.csv is outside this folder",
      ],
      [
        { argv: [...RUN.split(" "), "--plugin", "own.mjs"] },
        "--plugin own.mjs is code (to let it: --allow own.mjs)",
      ],
    ] as const) {
      withHeader(changes);
      expect(await refused(names, cwd)).toContain(why);
    }
    // One task in two files, with two results: one of the machines is wrong.
    const [lines1, lines2] = names.map((name) => readFileSync(join(cwd, name), "latin1").split("\n"));
    const [key, values] = lines2![1]!.split(" ").slice(2) as [string, string];
    const bytes = Buffer.from(values, "base64").fill(1, 8, 16);
    const forged = shardLine(key, new Float64Array(Uint8Array.from(bytes).buffer));
    writeFileSync(path, [first, forged.toString().trimEnd(), ...lines1!.slice(2)].join("\n"), "latin1");
    const command = `llmsim ${RUN} --shard`;
    expect(await refused(names, cwd)).toBe(
      `error: ${names[1]}: another result of shard ${key} than ${names[0]} (run both again: ${command} 1/3 and ${command} 2/3)\n`,
    );
    withHeader({});
    // All three agree on a lie: the tasks are not there.
    for (const name of names) {
      const [line, ...more] = readFileSync(join(cwd, name), "latin1").split("\n");
      const own = JSON.parse(line!.slice(line!.indexOf("{"))) as typeof header;
      const lie = { ...own, argv: [...RUN.split(" "), "--seed", "5"], settings: { ...settings, seed: 5 } };
      writeFileSync(join(cwd, name), headerLine(lie).toString("latin1") + more.join("\n"), "latin1");
    }
    expect(await refused(names, cwd)).toMatch(/no shard holds a task of this run/);
    writeFileSync(join(cwd, "rows.csv"), "scheduler,trials\n");
    expect(await refused(["rows.csv"], cwd)).toMatch(/^error: rows\.csv:1: not a line of a journal/);
    expect(await refused([], cwd)).toBe("error: missing argument: file (see --help)\n");
  });

  test.each(["0/3", "4/3", "1", "1/0", "-1/2", "1/2/3", "1/1e9", "a/b", ""])("--shard %j", async (text) => {
    expect(shareOf(text)).toBeUndefined();
    const { code, stdout, stderr } = await llmsim([...RUN.split(" "), "--shard", text], { cwd: "/" });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /^error: invalid --shard: .*\(i\/n with i from 1 to n, e\.g\. 2\/8; n below a million\)\n$/,
    );
  });

  test.each(EXPERIMENTS.map(({ name }) => name))(
    "%s: shares out its trials, or says why not",
    async (name) => {
      const experiment = await EXPERIMENTS.find((one) => one.name === name)!.load();
      const fixed = [
        "demo",
        "run",
        "sweep",
        "compare",
        "validate",
        "sweep-time",
        "sweep-chunk",
        "hybrid",
        "explore",
      ];
      const options = { precision: null };
      expect(experiment.unshared !== undefined && experiment.unshared(options) === undefined).toBe(
        fixed.includes(name),
      );
      if (fixed.includes(name) || experiment.reads) return;
      const { code, stderr } = await llmsim(`${name} --shard 1/2`, { cwd: "/" });
      expect(code).toBe(2);
      expect(stderr).toMatch(/error: --shard 1\/2: \S+ /);
    },
  );

  test("run --precision", async ({ folder: cwd }) => {
    const { code, stderr } = await llmsim(`${RUN} --precision 0.1 --shard 1/2`, { cwd });
    expect([code, stderr]).toEqual([
      2,
      "error: --shard 1/2: --precision adds trials by what the earlier ones came to\n",
    ]);
    expect(listing(cwd)).toEqual([]);
  });
});

test("a plugin is code: its shards merge where it is allowed, wherever it lies", async ({ folder }) => {
  const plugin = readFileSync(new URL("../../../examples/my-scheduler.mjs", import.meta.url), "utf8");
  const name = /name: "([\w-]+)"/.exec(plugin)![1]!;
  const command = `run --plugin own.mjs --scheduler ${name} --tmax 500 --ntrials 100 --workers 0`;
  const machines = ["a", "b"].map((machine) => join(folder, machine));
  for (const [i, cwd] of machines.entries()) {
    mkdirSync(cwd);
    writeFileSync(join(cwd, "own.mjs"), plugin);
    expect((await llmsim(`${command} --shard ${i + 1}/2`, { cwd })).code).toBe(0);
  }
  const [cwd, other] = machines as [string, string];
  const [shard] = shardsIn(other);
  renameSync(join(other, shard!), join(cwd, shard!));
  const alone = await llmsim(command, { cwd });
  const merged = await llmsim(["merge", ...shardsIn(cwd), "--allow", "own.mjs"], { cwd });
  expect(merged).toMatchObject({ code: 0, stdout: alone.stdout });
});

test("a shard that was stopped goes on from its journal to the same file", async ({ folder: cwd }) => {
  const command = "sweep-chunk --sizes 16,64 --tmax 300 --ntrials 200 --workers 0 --quiet --shard 2/2";
  const none = await llmsim(`${command} --resume`, { cwd });
  expect([none.code, none.stderr]).toEqual([
    2,
    "error: --resume: nothing to continue: no sweep-chunk journal in data\n",
  ]);
  expect((await llmsim(command, { cwd })).code).toBe(0);
  const whole = contents(cwd);
  rmSync(join(cwd, "data"), { recursive: true });

  const stop = new AbortController();
  const fs = {
    ...nodeFiles,
    appendTo: (path: string, start: Uint8Array | number) => {
      stop.abort(new Interrupted("SIGINT")); // with the first task done
      return nodeFiles.appendTo(path, start);
    },
  };
  const stopped = await llmsim(command, { cwd, fs, signal: stop.signal });
  expect([stopped.code, stopped.stdout]).toEqual([130, ""]);
  expect(stopped.stderr).toMatch(/2 finished shards are kept in data\/sweep-chunk-\w+\.journal; to go on:/);
  const resumed = await llmsim(`${command} --resume`, { cwd });
  expect(resumed.code).toBe(0);
  expect(resumed.stderr).toContain("resume: kept 2 shards, simulated 1\n");
  expect(contents(cwd)).toEqual(whole);
});
