/**
 * The house as a test: who imports whom, what keeps results the same on every machine, and the shape of files.
 * The rules stand in test/architecture/; here they are run over src, and each is shown to find what it forbids.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  filesAreSmallAndNamed,
  importsGoDown,
  insidesAreClosed,
  linesOf,
  loadedBy,
  medianIsShort,
  membersStandAlone,
  noCircles,
  packagesAreAllowed,
  roomsStandOnFloors,
  sameBitsEverywhere,
} from "./architecture/rules.js";
import { CLI_GROUND, FLOORS } from "./architecture/rooms.js";
import { type Source, sourcesOf } from "./architecture/sources.js";

const root = new URL("../src/", import.meta.url);
const paths = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts"))
  .sort();
const sources = sourcesOf(new Map(paths.map((path) => [path, readFileSync(new URL(path, root), "utf8")])));
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  dependencies: Record<string, string>;
  peerDependencies?: Record<string, string>;
};
const packages = packagesAreAllowed(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));

describe("src", () => {
  test("imports go down only (core <- stats, theory, charts <- experiments; config, io, run; cli)", () => {
    expect(sources.flatMap(importsGoDown)).toEqual([]);
  });
  test("rooms of core, experiments and cli stand on floors, and import what is below (test/architecture/rooms.ts)", () => {
    expect(sources.flatMap(roomsStandOnFloors)).toEqual([]);
    // Every room is there: one that is gone must go from the picture, too.
    const rooms = Object.entries(FLOORS).flatMap(([folder, floors]) =>
      floors
        .flat()
        .filter((room) => room !== "." && room !== "ground")
        .map((room) => `${folder}/${room}/`),
    );
    for (const room of rooms)
      expect(paths.filter((path) => path.startsWith(room)).length, room).toBeGreaterThan(0);
    for (const path of CLI_GROUND) expect(paths).toContain(path);
  });
  test("nobody outside core looks into the engine or its state: an observer tells", () => {
    expect(sources.flatMap(insidesAreClosed)).toEqual([]);
  });
  test("no circle of imports, types and lazy ones included", () => {
    expect(noCircles(sources)).toEqual([]);
  });
  test("packages: none in a pure room but those on its list", () => {
    expect(sources.flatMap(packages)).toEqual([]);
  });
  test("members of a family import their interface, never each other", () => {
    expect(sources.flatMap(membersStandAlone)).toEqual([]);
  });
  test("pure rooms use only what has the same bits everywhere", () => {
    expect(sources.flatMap(sameBitsEverywhere)).toEqual([]);
  });
  test("files are small, named after what they are about, and open with a comment", () => {
    expect([...sources.flatMap(filesAreSmallAndNamed), ...medianIsShort(sources)]).toEqual([]);
    expect(sources.length).toBeGreaterThan(80);
  });
  test("a worker loads the core and no more (150 ms for zod, 250 ms for vega)", () => {
    const loaded = loadedBy(sources, "run/worker.ts");
    const others = [...loaded.files].filter((path) => !path.startsWith("core/") && !path.startsWith("run/"));
    expect(others).toEqual([]);
    expect([...loaded.packages].sort()).toEqual(["piscina", "seedrandom/lib/alea.js"]);
  });
});

describe("circles", () => {
  const found = (files: Readonly<Record<string, string>>): string[] =>
    noCircles(sourcesOf(new Map(Object.entries(files).map(([path, text]) => [path, `/** */ ${text}`]))));

  test("of values, of types, of lazy imports, and of a file with itself", () => {
    expect(
      found({
        "core/a.ts": 'import { b } from "./b.js"; export const a = () => b;',
        "core/b.ts": 'import type { C } from "./c.js"; export const b = (c: C): C => c;',
        "core/c.ts": 'export type C = number; export const load = () => import("./a.js");',
        "core/d.ts": 'import { c } from "./c.js"; export const d = c;',
      }),
    ).toEqual([
      expect.stringMatching(
        /core\/a\.ts:1: a circle: core\/a\.ts → core\/b\.ts → core\/c\.ts → core\/a\.ts\. /,
      ),
    ]);
    expect(found({ "core/a.ts": 'export * from "./a.js";' })).toHaveLength(1);
  });

  test("not where several lead to the same", () => {
    expect(
      found({
        "core/a.ts": 'import { c } from "./c.js"; import { b } from "./b.js"; export const a = b + c;',
        "core/b.ts": 'import { c } from "./c.js"; export const b = c;',
        "core/c.ts": "export const c = 1;",
      }),
    ).toEqual([]);
  });
});

/** What `rule` says about one file; the others stand beside it so that imports and types resolve. */
function found(rule: (source: Source) => string[], path: string, text: string): string[] {
  const beside = new Map([
    ["core/numbers/units.ts", "/** */ export const ns = (value: number): number => value;"],
    ["core/own.ts", "/** */ export const process = 1; export const list = [3, 20];"],
  ]);
  return rule(sourcesOf(beside.set(path, text)).find((source) => source.path === path)!);
}

describe("each rule finds what it forbids", () => {
  test.each([
    [
      "core/a.ts",
      'import { mean } from "../stats/index.js";',
      "core imports stats/index.ts. Imports go down only: core imports no other room",
    ],
    ["core/a.ts", 'export type { X } from "../cli/x.js";', "core imports cli/x.ts. Imports go down only"],
    ["core/lengths/a.ts", 'const x = await import("../../io/x.js");', "core imports io/x.ts"],
    ["core/a.ts", 'type X = import("../config/x.js").X;', "core imports config/x.ts"],
    [
      "stats/a.ts",
      'import { simulate } from "../core/trial/simulate.js";',
      "stats imports core/trial/simulate.ts. Imports go down only: stats may import core/numbers/units.ts, core/numbers/arithmetic.ts, core/errors.ts",
    ],
    ["theory/a.ts", 'import { mean } from "../stats/index.js";', "theory imports stats/index.ts"],
    ["experiments/a.ts", 'import { open } from "../io/files.js";', "experiments imports io/files.ts"],
    ["run/a.ts", 'import { run } from "../experiments/run/run.js";', "run imports experiments/run/run.ts"],
    ["config/a.ts", 'import { main } from "../cli/main.js";', "config imports cli/main.ts"],
    ["core/a.ts", 'import * as all from "../index.js";', "core imports index.ts"],
    ["lib/a.ts", "", "unknown room: lib. Use one of core, stats"],
  ])("imports: %s %s", (path, text, message) => {
    expect(found(importsGoDown, path, `/** */\n${text}`)).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    [
      "core/numbers/a.ts",
      'import { Requests } from "../workload/requests.js";',
      "core/numbers imports core/workload/requests.ts. Imports go down only: numbers may import . of core",
    ],
    [
      "core/state/a.ts",
      'import type { C } from "../configuration/config.js";',
      "core/state imports core/config",
    ],
    ["core/options/a.ts", 'import { ns } from "../numbers/units.js";', "core/options imports core/numbers"],
    ["core/errors.ts", 'import { ns } from "./numbers/units.js";', "core/. imports core/numbers/units.ts"],
    ["core/kitchen/a.ts", "", "unknown room: core/kitchen. Use one of ., numbers, options"],
    [
      "experiments/run/a.ts",
      'import { plan } from "../plan/plan.js";',
      "experiments/run imports experiments/plan",
    ],
    ["cli/files/a.ts", 'import { main } from "../main.js";', "cli/files imports cli/main.ts"],
    [
      "cli/streams.ts",
      'import { style } from "./output/style.js";',
      "cli/ground imports cli/output/style.ts",
    ],
  ])("rooms: %s %s", (path, text, message) => {
    expect(found(roomsStandOnFloors, path, `/** */\n${text}`)).toEqual([expect.stringContaining(message)]);
  });

  test("rooms: what is below is allowed, and other folders are another rule's", () => {
    for (const [path, text] of [
      ["core/state/a.ts", 'import { ns } from "../numbers/units.js"; import { b } from "./b.js";'],
      ["cli/files/a.ts", 'import type { Streams } from "../streams.js"; import { x } from "../../io/x.js";'],
      ["cli/main.ts", 'import { x } from "./resume/checkpoint.js"; import { y } from "./streams.js";'],
      ["stats/a.ts", 'import { ns } from "../core/numbers/units.js";'],
    ] as const)
      expect(found(roomsStandOnFloors, path, text)).toEqual([]);
  });

  test("insides: those of core, outside of it", () => {
    const text = `/** */
import type { Replica } from "../core/state/replica.js";
import type { Observer } from "../core/engine/observer.js";`;
    expect(found(insidesAreClosed, "page/a.ts", text)).toEqual([
      expect.stringContaining("src/page/a.ts:2: imports core/state/replica.ts"),
    ]);
    expect(found(insidesAreClosed, "core/a.ts", text)).toEqual([]);
  });

  test("imports: what is below is allowed", () => {
    for (const [path, text] of [
      ["stats/a.ts", 'import { ns } from "../core/numbers/units.js";'],
      ["run/a.ts", 'import type { Trials } from "../experiments/interface/trials.js";'],
      [
        "cli/a.ts",
        'import { x } from "../experiments/index.js"; import { y } from "../core/trial/simulate.js";',
      ],
      ["core/workload/lengths/a.ts", 'import { x } from "../../options/definition.js";'],
    ] as const)
      expect(found(importsGoDown, path, text)).toEqual([]);
  });

  test.each([
    [
      "core/a.ts",
      'import seedrandom from "seedrandom/lib/alea.js";',
      "src/core/a.ts:2: core imports seedrandom/lib/alea.js. core is pure: let its caller bring that in",
    ],
    [
      "core/a.ts",
      'import { readFileSync } from "node:fs";',
      "src/core/a.ts:2: core imports node:fs. core is pure",
    ],
    [
      "theory/a.ts",
      'import { mean } from "simple-statistics";',
      "src/theory/a.ts:2: theory imports simple-statistics",
    ],
    ["charts/a.ts", 'import { compile } from "vega-lite";', "src/charts/a.ts:2: charts imports vega-lite"],
    [
      "cli/a.ts",
      'import lodash from "lodash";',
      "src/cli/a.ts:2: imports lodash. Import a dependency of package.json, or node:*",
    ],
    ["cli/a.ts", 'import fs from "fs";', "src/cli/a.ts:2: imports fs"],
  ])("packages: %s %s", (path, text, message) => {
    expect(found(packages, path, `/** */\n${text}`)).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    [
      "core/workload/lengths/a.ts",
      'import { b } from "./b.js";',
      "a member imports ./b.js. Members of lengths import definition, ",
    ],
    [
      "core/workload/lengths/a.ts",
      'import { b } from "../arrivals/b.js";',
      "a member imports ../arrivals/b.js",
    ],
    [
      "core/policies/schedulers/a.ts",
      'import { Plan } from "../../engine/plan.js";',
      "a member imports ../../engine/plan.js. Members of schedulers import definition, units, arithmetic, errors, scheduler, packing",
    ],
    [
      "core/workload/lengths/index.ts",
      'export { a } from "../arrivals/a.js";',
      "exports ../arrivals/a.js. An index lists its own folder",
    ],
    [
      "core/trial/simulate.ts",
      'import { hybrid } from "../policies/schedulers/hybrid.js";',
      "imports ../policies/schedulers/hybrid.js. Members are reached through the registry",
    ],
    [
      "cli/a.ts",
      'import * as all from "../core/policies/schedulers/index.js";',
      "imports ../core/policies/schedulers/index.js. Members are reached",
    ],
  ])("families: %s %s", (path, text, message) => {
    expect(found(membersStandAlone, path, `/** */\n${text}`)).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    ["core/a.ts", "const x = 2 ** 3;", "the operator **"],
    ["stats/a.ts", "let x = 2; x **= 3;", "the operator **"],
    ["theory/a.ts", "const x = Math.log(2);", "Math.log. Use core/numbers/arithmetic.ts (log, exp, pow, …)"],
    ["core/a.ts", "const x = Math.random();", "Math.random"],
    ["core/a.ts", "const { pow } = Math;", "Math as a value"],
    ["core/a.ts", 'const x = Math["pow"](1, 2);', "Math as a value"],
    ["core/a.ts", "const x = Date.now();", "Date. Instants are Nanoseconds"],
    ["core/a.ts", "export const x = (at: Date): number => +at;", "Date."],
    ["core/a.ts", "console.log(1);", "console. Return what there is to say"],
    ["experiments/a.ts", "const x = process.env.X;", "process. Take settings as arguments"],
    ["core/a.ts", "const x = { performance };", "performance"],
    ["charts/a.ts", "const x = new Intl.NumberFormat();", "Intl"],
    ["charts/a.ts", "const x = (1).toLocaleString();", "toLocaleString. It follows the machine's locale"],
    ["charts/a.ts", '["b", "a"].sort((a, b) => a.localeCompare(b));', "localeCompare"],
    ["experiments/a.ts", "setTimeout(() => {}, 1);", "setTimeout"],
    [
      "core/a.ts",
      "export const x = (): Promise<void> => Promise.reject();",
      "Promise. This room is synchronous",
    ],
    ["core/a.ts", "export async function x() {}", "async. This room is synchronous"],
    ["core/a.ts", "const x = import.meta.url;", "import.meta"],
    ["core/a.ts", "const x = [10, 9].sort();", ".sort() without a comparator. It sorts numbers as text"],
    ["core/a.ts", "const x = [10, 9].map((n) => n + 1).toSorted();", ".toSorted() without a comparator"],
    ["core/a.ts", 'import { list } from "./own.js"; list.sort();', ".sort() without a comparator"],
    ["core/a.ts", "export const x = (any: any): unknown => any.sort();", ".sort() without a comparator"],
    [
      "stats/a.ts",
      'import { probit } from "simple-statistics";',
      "probit of simple-statistics. It is a coarse table",
    ],
  ])("same bits: %s %s", (path, text, message) => {
    const findings = found(sameBitsEverywhere, path, `/** */\n${text}`);
    expect(findings.length).toBeGreaterThan(0);
    for (const line of findings) expect(line).toContain(`src/${path}:2: ${message}`);
  });

  test("same bits: names of the file's own, members of that name and comments are no globals", () => {
    for (const text of [
      "// process, Date, Math.pow, x ** 2 and console.log\nexport const x = 1;",
      'import { process } from "./own.js"; export const x = process + 1;',
      "const performance = 1; export const x = { performance, console: 2 }; export const y = x.console;",
      "export interface X { Date: number; process(): void }",
      "export const x = Math.sqrt(Math.max(1, 2));",
      "export const x = Float64Array.of(2, 1).sort(); export const y = new Int32Array(2).subarray(1).toSorted();",
      'export const x = ["b", "a"].sort(); export const y = Object.keys({}).sort(); export const z = [2, 1].sort((a, b) => a - b);',
    ])
      expect([text, found(sameBitsEverywhere, "core/a.ts", text)]).toEqual([text, []]);
    const waits = "export async function x(): Promise<void> { await Promise.resolve(); }";
    expect(found(sameBitsEverywhere, "experiments/a.ts", waits)).toEqual([]);
    expect(found(sameBitsEverywhere, "cli/a.ts", "console.log(process.argv, Date.now(), 2 ** 3);")).toEqual(
      [],
    );
  });

  test.each([
    ["core/a.ts", "export const x = 1;\n", "src/core/a.ts:1: no opening comment. Say what it is"],
    ["core/a.ts", `/** */${"\n".repeat(400)}`, "src/core/a.ts:1: 400 lines. Split it"],
    ["core/utils.ts", "/** */", "the name utils. Name a file or folder after what it is about"],
    ["core/helpers/a.ts", "/** */", "the name helpers"],
    ["cli/types.d.ts", "/** */", "the name types"],
    ["core/workload/lengths/index.ts", "export const x = 1;\n", "no opening comment"],
  ])("files: %s %#", (path, text, message) => {
    expect(found(filesAreSmallAndNamed, path, text)).toEqual([expect.stringContaining(message)]);
  });

  test("files: an index of export lines needs no comment; the median counts", () => {
    expect(
      found(filesAreSmallAndNamed, "core/workload/lengths/index.ts", 'export { a } from "./a.js";\n'),
    ).toEqual([]);
    const long = sourcesOf(new Map([["core/a.ts", "\n".repeat(130)]]));
    expect(linesOf(long[0])).toBe(130);
    expect(medianIsShort(long)).toEqual([expect.stringContaining("the median file has 130 lines")]);
  });
});
