/**
 * `--plugin FILE`: the example of the repository runs, on threads as in this process; a file is imported only when
 * named; what a plugin does wrong says which, where and what is allowed, exits with 2 and writes nothing.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, vi } from "vitest";
import { ConfigError } from "../../../src/core/errors.js";
import type { Batch, View } from "../../../src/core/policies/scheduler.js";
import { pluginOf, withPlugins } from "../../../src/core/configuration/plugin.js";
import { carrying } from "../../../src/cli/settings/plugins.js";
import type { Executor } from "../../../src/run/executor.js";
import { shardKey } from "../../../src/run/journal.js";
import { loadPlugin, pluginFile } from "../../../src/run/plugin-files.js";
import { threadPool } from "../../../src/run/pool.js";
import { runTask, type TrialTask } from "../../../src/core/trial/trial.js";
import { Simulator } from "../../../src/core/trial/simulate.js";
import { account, engine, rows, run, withoutFastForward } from "../../contract/workloads.js";
import { smallConfig } from "../../run/requests.js";
import fc from "fast-check";
import { listing, llmsim, SMALL, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

const EXAMPLE = fileURLToPath(new URL("../../../examples/my-scheduler.mjs", import.meta.url));

describe("examples/my-scheduler.mjs", () => {
  test("runs beside the built-in ones, with an option of its own; threads give the same bytes", async ({
    folder,
  }) => {
    cpSync(EXAMPLE, join(folder, "mine.mjs"));
    const argv = `run --tmax 20 --ntrials 3 --lam 6 --quiet --json --plugin mine.mjs --scheduler capped-prompts,sarathi`;
    const sets = ["", " --set scheduler.promptTokens=16"].map((set) => argv + set);
    const outputs: string[] = [];
    for (const flags of sets) {
      const [here, threads] = [
        await llmsim(`${flags} --workers 0`, { cwd: folder }),
        await llmsim(`${flags} --workers 2`, { cwd: folder }),
      ];
      expect([here.code, here.stderr]).toEqual([0, ""]);
      expect(threads.stdout).toBe(here.stdout);
      outputs.push(here.stdout);
    }
    expect(outputs[0]).not.toBe(outputs[1]);
    const { plugins, results } = JSON.parse(outputs[0]) as {
      plugins: unknown;
      results: { scheduler: string; metrics: Record<string, { mean: number }> }[];
    };
    expect(plugins).toEqual([
      { file: "mine.mjs", sha256: (await pluginFile(EXAMPLE)).sha256, schedulers: ["capped-prompts"] },
    ]);
    // What it is for: iterations are short, whatever arrives.
    expect(results.map(({ scheduler }) => scheduler)).toEqual(["capped-prompts", "sarathi"]);
    expect(results[0].metrics.itl_p99_s.mean).toBeLessThan(results[1].metrics.itl_p99_s.mean);
  });

  test("its rows, its windows and its boundary", async ({ folder }) => {
    const flags = ["--plugin", EXAMPLE, "--scheduler", "capped-prompts", "--workers", "0", "--quiet"];
    const small = ["--tmax", "10", "--ntrials", "2"];
    for (const argv of [
      ["run", ...small, ...flags, "--requests", "rows.csv"],
      ["sweep-chunk", "--sizes", "64", ...small, ...flags],
      ["sweep-time", ...small, ...flags],
    ])
      expect([argv[0], (await llmsim(argv, { cwd: folder })).stderr]).toEqual([argv[0], ""]);
    expect(readFileSync(join(folder, "rows.csv"), "utf8")).toContain("capped-prompts,0,1,");
    expect(listing(folder)).toContain("data/chunk_size_sweep_capped-prompts_tmax10.csv");
  });

  test("keeps every limit and every law, and is asked only when it matters", async () => {
    const plugin = await loadPlugin(await pluginFile(EXAMPLE));
    const registry = withPlugins([plugin]);
    const slowly = withoutFastForward(registry);
    fc.assert(
      fc.property(rows, engine, fc.constantFrom(3, 50, 128), (rows, engine, promptTokens) => {
        const setting = { scheduler: { kind: "capped-prompts", promptTokens }, engine };
        const fast = run(rows, setting, { registry });
        expect(fast.metrics.n_completed).toBe(rows.length);
        expect(account(fast)).toEqual(account(run(rows, setting, { registry: slowly })));
      }),
      { numRuns: 150 },
    );
  });
});

/** A plugin whose compose has this body. */
const composing = (body: string, more = ""): string =>
  `export default { name: "mine", create: () => ({ compose(view, batch) { ${body} } ${more} }) };\n`;
const DECODES = "batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));";

describe("one that does wrong: which, where, what is allowed; exit 2, nothing written", () => {
  const cases: Readonly<Record<string, readonly [source: string, ...lines: (string | RegExp)[]]>> = {
    "is no module": ["export default {", /^plugin mine\.mjs: import threw: /],
    "throws when imported": ['throw new Error("no luck");', "plugin mine.mjs: import threw: no luck"],
    "exports nothing": [
      "const nothing = 1;",
      "plugin mine.mjs: exports no scheduler (export default { name, create })",
    ],
    "exports what is none": [
      "export default 7;",
      "plugin mine.mjs: export default is no scheduler (an object with name and create)",
    ],
    "has much that is wrong": [
      'export default { name: "My Own", backlog: "both", options: [{ key: "x" }] };',
      "plugin mine.mjs: invalid name: My Own (letters a to z, digits and -)",
      "plugin mine.mjs: My Own: create is missing (a function that makes the scheduler)",
      "plugin mine.mjs: My Own: invalid backlog: both (waiting or decoding)",
      /^plugin mine\.mjs: My Own: invalid options \(a list of \{ key, kind, summary \}/,
    ],
    "has a name that is taken": [
      'export default { name: "orca", create: () => ({ compose() {} }) };',
      "plugin mine.mjs: scheduler orca: the name is taken by orca (a name of its own)",
    ],
    "has a short name that is taken": [
      'export default { name: "mine", short: "hybrid", create: () => ({ compose() {} }) };',
      "plugin mine.mjs: scheduler mine: the name is taken by hybrid (a name of its own)",
    ],
    "throws in create": [
      'export default { name: "mine", create() { throw new Error("out of ideas"); } };',
      "plugin mine.mjs: scheduler mine: create threw: out of ideas",
    ],
    "creates nothing": [
      'export default { name: "mine", create() {} };',
      "plugin mine.mjs: scheduler mine: create made no scheduler (an object with compose(view, batch))",
    ],
    "says of no function how many it decodes": [
      'export default { name: "mine", create: () => ({ compose() {}, decodesAll: 3 }) };',
      "plugin mine.mjs: scheduler mine: invalid decodesAll: 3 (a function of the limits)",
    ],
    "says of no number how many it decodes": [
      'export default { name: "mine", create: () => ({ compose() {}, decodesAll: () => "all" }) };',
      "plugin mine.mjs: scheduler mine: decodesAll: all (how many, at least 0)",
    ],
    "throws where it is to say how many it decodes": [
      'export default { name: "mine", create: () => ({ compose() {}, decodesAll: () => lost }) };',
      "plugin mine.mjs: scheduler mine: decodesAll threw: lost is not defined",
    ],
    "places nothing": [
      composing(""),
      "plugin mine.mjs: scheduler mine, iteration 1: placed nothing while work waits",
    ],
    misspells: [
      composing("if (view.waitng.exists) return;"),
      /^plugin mine\.mjs: scheduler mine: compose threw at [\d.]+ s: Cannot read properties of undefined/,
    ],
    "throws later in compose": [
      composing(
        `${DECODES} if (view.now > 5e9) throw new Error("lost"); if (view.waiting.exists) batch.chunk("waiting", view.waiting.left);`,
      ),
      /^plugin mine\.mjs: scheduler mine: compose threw at [5-9][\d.]+ s: lost$/,
    ],
    "plans over the budget": [
      composing("batch.chunk('waiting', batch.tokensLeft + 1);"),
      /^plugin mine\.mjs: scheduler mine, iteration 1: longer than the prompt: asked 2049, left \d+$/,
    ],
    "decodes one twice": [
      composing(
        "if (view.decodable > 0) batch.decode(view.decodable + 1); else batch.chunk('waiting', view.waiting.left);",
      ),
      "plugin mine.mjs: scheduler mine, iteration 2: more decodes than sequences: asked 2, decodable 1",
    ],
    "is async": [
      'export default { name: "mine", create: () => ({ async compose() {} }) };',
      "plugin mine.mjs: scheduler mine: compose returned a promise (a batch is composed at once, without waiting)",
    ],
    "has another order": [
      composing("", ', decodeOrder: "newest"'),
      "plugin mine.mjs: scheduler mine: invalid decodeOrder: newest (prefill-end or admission)",
    ],
  };
  const ON_THREADS = ["throws in create", "throws later in compose", "decodes one twice"];
  test.for([
    ...Object.keys(cases).map((name) => [name, 0] as const),
    ...ON_THREADS.map((name) => [name, 2] as const),
  ])("%s, %i workers", async ([name, workers], { folder }) => {
    const [source, ...lines] = cases[name];
    writeFileSync(join(folder, "mine.mjs"), source);
    const argv = `run --plugin mine.mjs --scheduler mine --tmax 20 --ntrials 3 --lam 6 --quiet --requests rows.csv --workers ${workers}`;
    const { code, stdout, stderr } = await llmsim(argv, { cwd: folder });
    expect([code, stdout, listing(folder)]).toEqual([2, "", ["mine.mjs"]]);
    const found = stderr.trimEnd().split("\n");
    expect(found.map((line) => line.replace(/^error: /, ""))).toEqual(
      lines.map((line): unknown => (typeof line === "string" ? line : expect.stringMatching(line))),
    );
  });

  test("a file that is not there, and one without a name, with all other problems", async ({ folder }) => {
    const argv = ["run", "--plugin", "gone.mjs", "--plugin", "", "--scheduler", "mine", "--workers", "-1"];
    const { code, stderr } = await llmsim(argv, { cwd: folder });
    expect([code, stderr.trimEnd().split("\n")]).toEqual([
      2,
      [
        "error: invalid --workers: -1 (an integer at least 0 and at most 256; 0 simulates in this process)",
        "error: --plugin: cannot read gone.mjs: no such file or directory",
        "error: invalid --plugin: empty (an ES module with a scheduler)",
      ],
    ]);
  });
});

test("a file that nobody names is not imported", async ({ folder }) => {
  writeFileSync(join(folder, "mine.mjs"), 'throw new Error("imported");');
  const { code, stderr } = await llmsim(`run ${SMALL} --scheduler mine`, { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: unknown scheduler: mine \(one of: decode-prioritizing/);
  expect((await llmsim(`run ${SMALL} --quiet`, { cwd: folder })).code).toBe(0);
});

describe("tasks carry path and hash", () => {
  const task = (plugins: TrialTask["plugins"]): TrialTask => ({
    seed: 1,
    first: 1,
    count: 1,
    configs: [{ ...smallConfig(), scheduler: { kind: "mine" } }],
    windows: [],
    verify: false,
    ...(plugins && { plugins }),
  });
  const packing = (limit: number): string =>
    composing(
      `${DECODES} for (let i = 0; i < ${limit} && view.waiting.exists && view.resident < view.limits.residentCap && view.waiting.left <= batch.tokensLeft; i++) batch.chunk("waiting", view.waiting.left);`,
    );

  test("a worker imports each once, knows two contents of one path apart, and refuses another hash", async ({
    folder,
  }) => {
    const path = join(folder, "mine.mjs");
    const pool = threadPool(1);
    try {
      const answers: Float64Array[] = [];
      const files: Awaited<ReturnType<typeof pluginFile>>[] = [];
      for (const limit of [1, 5]) {
        writeFileSync(path, `globalThis.imports = (globalThis.imports ?? 0) + 1;\n${packing(limit)}`);
        files.push(await pluginFile(path));
        const plugin = await loadPlugin(files.at(-1)!);
        const alone = runTask(new Simulator(withPlugins([plugin])), task(undefined));
        for (let again = 0; again < 3; again++) expect(await pool.run(task([files.at(-1)!]))).toEqual(alone);
        answers.push(alone);
      }
      expect(answers[0]).not.toEqual(answers[1]);
      expect((globalThis as { imports?: number }).imports).toBe(2);
      // The first content was imported and stays good; a third is not what the task was made with.
      expect(await pool.run(task([files[0]]))).toEqual(answers[0]);
      writeFileSync(path, packing(9));
      const expected = { path, sha256: "0".repeat(64) };
      const { sha256 } = await pluginFile(path);
      await expect(pool.run(task([expected]))).rejects.toThrow(
        new ConfigError([
          {
            key: "--plugin",
            message: `plugin ${path}: the file is another than when the run began (sha256 ${sha256}, expected ${expected.sha256})`,
          },
        ]),
      );
    } finally {
      await pool.close();
    }
  });
});

test("a journal tells the shards of two contents apart, and those without a plugin from both", async () => {
  const keys: string[] = [];
  const inner: Executor = {
    width: 1,
    run: async (task) => {
      keys.push(shardKey("core", task));
      return new Float64Array(0);
    },
    close: async () => {},
  };
  const task: TrialTask = {
    seed: 1,
    first: 1,
    count: 1,
    configs: [smallConfig()],
    windows: [],
    verify: false,
  };
  for (const files of [[], ["a"], ["b"], ["a"]].map((hashes) =>
    hashes.map((sha256) => ({ path: "/x.mjs", sha256 })),
  ))
    await carrying(inner, { plugins: [], uses: [], files }).run(task);
  expect(new Set(keys).size).toBe(3);
  expect(keys[3]).toBe(keys[1]);
});

test("a module may export several by name; a default one hides them", () => {
  const create = (): object => ({ compose() {} });
  const [first, second] = ["first", "second"].map((name) => ({ name, create }));
  const names = (exports: Record<string, unknown>): string[] =>
    pluginOf("f.mjs", exports).schedulers.map(({ name }) => name);
  expect(names({ first, helper: () => 1, second, version: "1" })).toEqual(["first", "second"]);
  expect(names({ first, default: second })).toEqual(["second"]);
  expect(pluginOf("f.mjs", { first }).schedulers[0]).toMatchObject({
    summary: "of f.mjs",
    source: "f.mjs",
    options: [],
    examples: [{ kind: "first" }],
    backlog: "waiting",
  });
});

test("a promise of a plugin's scheduler is handed on: the engine decodes on without asking it", () => {
  const calls = { counted: 0, promising: 0 };
  const scheduler = (name: keyof typeof calls, promise: object): object => ({
    name,
    create: () => ({
      ...promise,
      compose(view: View, batch: Batch) {
        calls[name]++;
        batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
        batch.pack();
      },
    }),
  });
  const plugin = pluginOf("f.mjs", {
    counted: scheduler("counted", {}),
    promising: scheduler("promising", { decodesAll: () => 100 }),
  });
  const registry = withPlugins([plugin]);
  const five = [1, 2, 3, 4, 5].map((n) => [0, 8, 10 * n] as const);
  const [asked, unasked] = ["counted", "promising"].map((kind) =>
    account(run(five, { scheduler: { kind } }, { registry, verify: false })),
  );
  expect(unasked).toEqual(asked);
  // Once for the prompts, once to see the promise kept.
  expect(calls).toEqual({ counted: 6, promising: 2 });
});
