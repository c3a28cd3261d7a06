/** The rule that keeps the suite free of chance, run over the suite, and shown to find what it forbids. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FORMER_SEED, MARK, mayHoldChance, testsAreFreeOfChance } from "./chance.js";
import { sourcesOf } from "./sources.js";

const root = new URL("../", import.meta.url);
/** The compiler reads scripts too, under a name of its own kind. */
const named = (path: string): string => path.replace(/\.m?js$/, "$&.ts");

/** What is wrong in these texts, by path. Only those that may hold something are parsed. */
const findingsIn = (texts: readonly (readonly [string, string])[]): string[] =>
  sourcesOf(new Map(texts.filter(([, text]) => mayHoldChance(text)))).flatMap(testsAreFreeOfChance);

test("no test asserts on the clock or draws what does not follow from the suite's seed", () => {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.(ts|m?js)$/.test(path) && !path.startsWith("bench/"));
  expect(paths.length).toBeGreaterThan(150);
  const texts = paths.map((path) => [named(path), readFileSync(new URL(path, root), "utf8")] as const);
  expect(findingsIn(texts)).toEqual([]);
});

const found = (text: string, path = "x.test.ts"): string[] => findingsIn([[path, text]]);

describe("found", () => {
  test.each([
    "expect(Date.now()).toBe(1);",
    "expect(performance.now() - 3).toBeLessThan(2000);",
    "const a = performance.now();\nexpect(a).toBeLessThan(2000);",
    "const a = Date.now(); const b = 2 * a;\nexpect([b]).toEqual([1]);",
    "let a = 0; const f = () => { a = Math.max(a, process.hrtime()[0]); };\nexpect(a).toBeLessThan(1);",
    "const { user, system } = process.cpuUsage();\nexpect((user + system) / 1e6).toBeLessThan(10);",
    "const took = () => process.hrtime.bigint();\nexpect(took()).toBeLessThan(1n);",
    "function took() { const at = Date.now(); return at - 1; }\nexpect(took()).toBeLessThan(1);",
    "const a = await page.evaluate(async () => { let b = performance.now(); return b; });\nexpect(a).toBeLessThan(1);",
    "const all = []; all.push(Date.now());\nexpect(all).toEqual([]);",
    "const all = { at: 0 }; all.at = Date.now();\nexpect(all.at).toBe(0);",
    "const all = [Date.now()]; for (const one of all)\nexpect(one).toBe(0);",
    "const at = new Date();\nexpect({ at }).toEqual({});",
    "const at = Date.now();\nexpect(1).toBeLessThan(at);",
    "const at = Date.now();\nexpect.poll(() => Date.now() - at).toBe(3);",
    "const at = Date.now();\nexpect(at).toBeGreaterThan(1);",
    `const at = Date.now();\nexpect(at).toBeLessThan(1); ${MARK}`,
    `const at = Date.now();\nexpect(at).not.toBeGreaterThan(1); ${MARK}`,
    `const at = Date.now();\nexpect(1).toBeGreaterThan(at); ${MARK}`,
  ])("a clock: %s", (text) => {
    const line = text.split("\n").length;
    expect(found(text)).toEqual([
      `test/x.test.ts:${line}: a clock in an expect. Count work; seconds belong to test/bench`,
    ]);
  });

  test.each([
    ["const x = Math.random();", "Math.random. Draw from fast-check"],
    ['const x = Math["random"]();', "Math.random. Draw from fast-check"],
    ['import { randomUUID } from "node:crypto";', "randomUUID. Draw from fast-check"],
    ["crypto.getRandomValues(bytes);", "getRandomValues. Draw from fast-check"],
    [`const x = process.env.${FORMER_SEED};`, `${FORMER_SEED}. Use LLMSIM_TEST_SEED`],
    [`// ${FORMER_SEED} replays one`, `${FORMER_SEED}. Use LLMSIM_TEST_SEED`],
    [
      "fc.assert(p, { numRuns: 20, seed: 1 });",
      "a property with a seed of its own. All draw from the suite's",
    ],
    ["fc.assert(p, { numRuns: 20, ...(x ? {} : { seed: 2 }) });", "a property with a seed of its own"],
    ["const seed = 3; fc.check(p, { seed });", "a property with a seed of its own"],
    ["const options = { seed: 3 }; fc.sample(p, options);", "a property with a seed of its own"],
    ["fc.configureGlobal({ seed: 4 });", "fc.configureGlobal. test/setup.ts tells fast-check its seed"],
  ])("chance: %s", (text, message) => {
    expect(found(text)).toEqual([expect.stringContaining(`test/x.test.ts:1: ${message}`)]);
  });
});

test("not found: lower bounds that say so, clocks that wait, time that is simulated, seeds of simulations", () => {
  for (const text of [
    `const at = Date.now(); expect(Date.now() - at).toBeGreaterThanOrEqual(1990); ${MARK}`,
    "const until = Date.now() + 5; while (Date.now() < until) await turn(); expect(calls).toBe(3);",
    "const took = process.cpuUsage(); console.warn(took); expect(code).toBe(0);",
    "expect(new Date(ms).toISOString()).toBe(text);",
    "async function waits() { const at = Date.now(); while (Date.now() < at + 1); return 3; } expect(await waits()).toBe(3);",
    "const at = Date.now(); { const at = 3; expect(at).toBe(3); }",
    "const now = Date.now(); expect(view.now).toBe(4);",
    "expect(found).toEqual([expect.any(Number)]);",
    "fc.assert(fc.property(a, (x) => simulate(x, { seed: 3 })), { numRuns: 20 });",
    "const { random } = model; expect(random).toBe(false);",
  ])
    expect([text, found(text)]).toEqual([text, []]);
  expect(found("fc.configureGlobal({ seed: SEED });", "setup.ts")).toEqual([]);
});
