/**
 * What a plugin may do that is no mistake of a policy: getters and Proxies that throw, answers of another kind, what it
 * does outside of its calls. Each ends with 2 and its name, whichever thread it happens on; and through what it is handed
 * nothing of the engine can be reached or changed.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, vi } from "vitest";
import { pluginOf, withPlugins } from "../../../src/core/configuration/plugin.js";
import type { Batch, View } from "../../../src/core/policies/scheduler.js";
import { loadPlugin, pluginFile } from "../../../src/run/plugin-files.js";
import { account, run } from "../../contract/workloads.js";
import { listing, llmsim, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

const LONG = process.env.LLMSIM_LONG === "1";
const BIN = fileURLToPath(new URL("../../../bin/llmsim.js", import.meta.url));
const ARGV =
  "run --plugin mine.mjs --scheduler mine --tmax 20 --ntrials 3 --lam 6 --quiet --requests rows.csv --workers";

/** What a process comes to that runs the plugin in the folder. */
function processOf(
  cwd: string,
  workers: number,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [BIN, ...ARGV.split(" "), String(workers)], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (data: Buffer) => (text.stdout += data));
  child.stderr.on("data", (data: Buffer) => (text.stderr += data));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...text })));
}

const WORKS = "batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft)); batch.pack();";
/** A plugin that works, with these fields and this beginning of its compose. */
const working = (fields: string, body = "", before = ""): string =>
  `${before}\nexport default { name: "mine", create: () => ({ compose(view, batch) { ${body} ${WORKS} } }), ${fields} };\n`;

type Case = readonly [source: string, line: string | RegExp];

describe("what it hands over is read once, and answers of another kind are refused", () => {
  const S = "plugin mine.mjs: scheduler mine: ";
  const cases: Readonly<Record<string, Case>> = {
    "a getter that throws": [
      'export default { get name() { throw new Error("no name"); }, create() {} };',
      "plugin mine.mjs: export default cannot be read: no name",
    ],
    "a Proxy that answers nothing": [
      'export default new Proxy({}, { get() { throw new TypeError("no"); } });',
      "plugin mine.mjs: export default cannot be read: no",
    ],
    "a Proxy without a target": [
      "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); export default proxy;",
      /^plugin mine\.mjs: export default cannot be read: Cannot perform 'IsArray' on a proxy/,
    ],
    "a named export that throws when it is looked at": [
      'export const one = new Proxy({}, { has() { throw new Error("closed"); } });',
      "plugin mine.mjs: its exports cannot be read: closed",
    ],
    "a throwing option": [
      working('options: [{ get key() { throw new Error("no key"); } }]'),
      "plugin mine.mjs: export default cannot be read: no key",
    ],
    "a list without end": [
      working("options: new Proxy([], { get: (_, key) => key === 'length' ? 2 ** 32 - 1 : {} })"),
      /^plugin mine\.mjs: mine: invalid options/,
    ],
    "an option whose limit is no number": [
      working('options: [{ key: "x", kind: "number", summary: "s", min: Symbol() }]'),
      /^plugin mine\.mjs: mine: invalid options/,
    ],
    "an error that cannot be read": [
      "throw new Proxy(new Error(), { getPrototypeOf() { throw 1; }, get() { throw 2; } });",
      "plugin mine.mjs: import threw: an error that cannot be read",
    ],
    "a name that throws as a text": [
      "export default { name: { toString() { throw 1; } }, create() {} };",
      "plugin mine.mjs: invalid name: an object (letters a to z, digits and -)",
    ],
    "a check that is none": [
      working("check: 3"),
      "plugin mine.mjs: mine: invalid check: 3 (a function of the options' values)",
    ],
    "a check that gives no list": [
      working("check: () => 'wrong'"),
      `${S}check gave no list of texts (a list of problems, empty when there is none)`,
    ],
    "a check that gives a list of others": [
      working("check: () => [7]"),
      `${S}check gave no list of texts (a list of problems, empty when there is none)`,
    ],
    "a check that throws": [working("check() { throw 5; }"), `${S}check threw: 5`],
    "a check that gives a Proxy": [
      working("check: () => new Proxy([], { get() { throw new Error('no list'); } })"),
      `${S}check threw: no list`,
    ],
    "an async that is none": [
      working("async: 'yes'"),
      "plugin mine.mjs: mine: invalid async: yes (true or false)",
    ],
    "fixes that are none": [
      working("fixes: { firstToken: 1 }"),
      'plugin mine.mjs: mine: invalid fixes (conventions and their values, e.g. { firstToken: "prefill" })',
    ],
    "a scheduler that throws when it is read": [
      'export default { name: "mine", create: () => ({ get compose() { throw new Error("no"); } }) };',
      `${S}what create made cannot be read: no`,
    ],
    "a compose that throws what cannot be read": [
      working("", "throw new Proxy({}, { getPrototypeOf() { throw 1; } });"),
      new RegExp(`^${S}compose threw at [\\d.]+ s: an error that cannot be read$`),
    ],
    "a compose that answers with what throws": [
      working("", `${WORKS} return { get then() { throw new Error("then"); } };`),
      new RegExp(`^${S}compose threw at [\\d.]+ s: then$`),
    ],
    "a module that is like a promise": [
      "export function then(resolve) { resolve(7); }",
      "plugin mine.mjs: exports no scheduler (export default { name, create })",
    ],
    "numbers that are none": [
      working("", "batch.decode({ valueOf() { throw new Error('asked'); } });"),
      new RegExp(`^${S}compose threw at [\\d.]+ s: decode: an object \\(a number\\)$`),
    ],
    "words that are none": [
      working("", "batch.chunk('shared', 1);"),
      new RegExp(`^${S}compose threw at [\\d.]+ s: chunk: shared \\(prefilling or waiting\\)$`),
    ],
  };
  test.for(Object.keys(cases))("%s", async (name, { folder }) => {
    const [source, line] = cases[name]!;
    writeFileSync(join(folder, "mine.mjs"), source);
    const { code, stdout, stderr } = await llmsim(`${ARGV} 0`, { cwd: folder });
    expect([code, stdout, listing(folder)]).toEqual([2, "", ["mine.mjs"]]);
    expect(stderr.trimEnd().replace(/^error: /, "")).toEqual(
      typeof line === "string" ? line : expect.stringMatching(line),
    );
  });

  test("an import that never ends is given up", async ({ folder }) => {
    writeFileSync(join(folder, "mine.mjs"), "await new Promise(() => {});");
    const file = await pluginFile(join(folder, "mine.mjs"));
    await expect(loadPlugin(file, "mine.mjs", 0.05)).rejects.toThrow(
      "plugin mine.mjs: import did not end within 0.05 s (an await that never settles?)",
    );
  });
});

describe("what it does outside of its calls", () => {
  const cases: Readonly<Record<string, Case>> = {
    "a timer that throws, set when it was imported": [
      working("", "", 'setTimeout(() => { throw new Error("late"); }).unref();'),
      "plugin mine.mjs: an error that nobody catches: late",
    ],
    "a timer that would never end": [
      working("", "", "setInterval(() => {}, 1000);"),
      "plugin mine.mjs: left a timer behind (it keeps the process: clear it, or unref)",
    ],
    "a timer of a batch": [
      working("", "setTimeout(() => {}, 1e6);"),
      "plugin mine.mjs: left a timer behind (it keeps the process: clear it, or unref)",
    ],
    "a server": [
      working("", "", 'import { createServer } from "node:http"; createServer().listen(0);'),
      "plugin mine.mjs: left something open (it keeps the process: close it, or unref; TCPSERVERWRAP)",
    ],
    "a rejection, when it was imported": [
      working("", "", 'Promise.reject(new Error("unheard"));'),
      "plugin mine.mjs: a rejected promise that nobody awaits: unheard",
    ],
    "a rejection without an error": [
      working("", "Promise.reject(7);"),
      "plugin mine.mjs: a rejected promise that nobody awaits: 7",
    ],
    "an exit, when it is imported": ["process.exit(0);", "plugin mine.mjs: called process.exit(0)"],
    "an exit, from a batch, caught": [
      working("", "try { process.exit(); } catch {}"),
      "plugin mine.mjs: called process.exit()",
    ],
    "an exit, from a microtask": [
      working("", "Promise.resolve().then(() => process.exit(5));"),
      "plugin mine.mjs: called process.exit(5)",
    ],
  };
  /** Each like another that is tried on threads, too; LLMSIM_LONG=1 tries all. */
  const LIKE_ANOTHER = [
    "a timer that would never end",
    "a server",
    "a rejection without an error",
    "an exit, from a microtask",
  ];
  const workersOf = (name: string): number[] => (LONG || !LIKE_ANOTHER.includes(name) ? [0, 2] : [0]);
  test.for(Object.keys(cases).flatMap((name) => workersOf(name).map((workers) => [name, workers] as const)))(
    "%s, %i workers",
    async ([name, workers], { folder }) => {
      const [source, line] = cases[name]!;
      writeFileSync(join(folder, "mine.mjs"), source);
      expect(await processOf(folder, workers)).toEqual({ code: 2, stdout: "", stderr: `error: ${line}\n` });
      expect(listing(folder)).toEqual(["mine.mjs"]);
    },
  );

  test("what waits while it is imported, and what holds no process, may be", async ({ folder }) => {
    const before =
      "await new Promise((resolve) => setTimeout(resolve, 20)); setInterval(() => {}, 1000).unref();";
    writeFileSync(join(folder, "mine.mjs"), working("", "", before));
    expect(await processOf(folder, 2)).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("what it is handed", () => {
  const BUILT_IN = new Set<unknown>([Object, Object.prototype, Function.prototype]);

  /** Everything that can be reached from a value by its own and inherited properties. */
  function reachable(from: unknown, seen = new Set<unknown>()): Set<unknown> {
    if ((typeof from !== "object" && typeof from !== "function") || seen.has(from)) return seen;
    for (let at = from; at !== null && !BUILT_IN.has(at); at = Object.getPrototypeOf(at) as object | null) {
      seen.add(at);
      for (const key of Reflect.ownKeys(at)) {
        const { get, value } = Object.getOwnPropertyDescriptor(at, key)!;
        reachable(get, seen);
        reachable(get ? Reflect.get(at, key, from) : value, seen);
      }
    }
    return seen;
  }

  /** Runs a scheduler of a plugin, and the same one as if it were built in. */
  function both(compose: (view: View, batch: Batch) => void, options: readonly object[] = []) {
    const create = (): object => ({ compose });
    const plugin = pluginOf("f.mjs", { default: { name: "mine", create, options } });
    const rows = Array.from({ length: 40 }, (_, i) => [i * 1000, 5 + (i % 9), i % 7] as const);
    return run(rows, { scheduler: { kind: "mine" } }, { registry: withPlugins([plugin]) });
  }

  test("is the documented fields, and no way behind them", () => {
    const names = new Set<string>();
    let things: unknown[] = [];
    both((view, batch) => {
      things = [...reachable({ view, batch })];
      batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
      batch.pack();
    });
    // Two facades, two heads, the limits, three prototypes, and what holds the two; no Plan, Replica, Sequences.
    const objects = things.filter((thing) => typeof thing === "object");
    expect([objects.length, objects.every((one) => one!.constructor === Object)]).toEqual([9, true]);
    for (const thing of things)
      if (typeof thing === "object") for (const name of Object.keys(thing!)) names.add(name);
    expect([...names]).toEqual(["view", "batch", "maxTokens", "maxSequences", "residentCap", "chunk"]);
  });

  test("changes nothing but by its methods", () => {
    const spoil = (thing: object): void => {
      for (
        let at: object | null = thing;
        at && at !== Object.prototype;
        at = Object.getPrototypeOf(at) as object
      )
        for (const key of [...Reflect.ownKeys(at), "shared", "tokensLeft", "maxTokens"]) {
          expect(Reflect.set(at, key, 7)).toBe(false);
          expect(Reflect.defineProperty(at, key, { value: 7 }) && key !== "constructor").toBe(false);
          expect(Reflect.setPrototypeOf(at, Array.prototype)).toBe(false);
        }
    };
    const compose = (view: View, batch: Batch): void => {
      batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
      batch.pack();
    };
    const spoilt = both((view, batch) => {
      for (const thing of [view, batch, view.limits, view.partial, view.waiting]) spoil(thing);
      compose(view, batch);
    });
    expect(account(spoilt)).toEqual(account(both(compose)));
  });

  test("is worth nothing when the batch is composed", () => {
    const kept: { view?: View; batch?: Batch } = {};
    both((view, batch) => {
      Object.assign(kept, { view, batch });
      batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
      batch.pack();
    });
    expect(() => kept.batch!.decode(1)).toThrow("batch is only there while a batch is composed");
    expect(() => kept.view!.decodable).toThrow("view is only there while a batch is composed");
  });

  test("a definition cannot be changed once it was read", () => {
    const options = [{ key: "x", kind: "integer", summary: "s", default: 3, min: 1 }];
    const given = { name: "mine", create: () => ({ compose() {} }), options, summary: "before" };
    const [definition] = pluginOf("f.mjs", { default: given }).schedulers;
    given.name = "other";
    given.summary = "after";
    options[0]!.min = 99;
    expect(definition).toMatchObject({ name: "mine", summary: "before", options: [{ min: 1 }] });
  });
});
