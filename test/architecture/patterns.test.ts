/**
 * The linter holds that no pattern takes more than linear time. Here it is shown to find those that did, a CSV cell of
 * 100,000 digits took 10 s, and what stands for them now is shown to pass.
 */
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { expect, test } from "vitest";

const eslint = new ESLint({ cwd: fileURLToPath(new URL("../../", import.meta.url)) });

/** The rules that a pattern breaks in a file of the program. */
async function broken(pattern: string): Promise<string[]> {
  const [{ messages }] = (await eslint.lintText(`export const found = (text) => ${pattern}.exec(text);\n`, {
    filePath: "bin/pattern.js",
  })) as [ESLint.LintResult];
  return [...new Set(messages.map(({ ruleId }) => String(ruleId)))];
}

test.each([
  [
    "a number, of a CSV and of a list",
    String.raw`/^([+-]?)(\d+\.?\d*|\.\d+)(?:e([+-]?\d+))?$/i`,
    "backtracking",
  ],
  ["a condition", String.raw`/^\s*([^<>=]*?)\s*(<=|>=|<|>)([^<>=]*)$/`, "backtracking"],
  ["a list without brackets", String.raw`/^[^[\]{}"'#:]*,[^[\]{}"'#:]*$/`, "backtracking"],
  ["a target", String.raw`/^([^=<>]+?)\s*=\s*([^=<>]+)$/`, "backtracking"],
  ["commas outside of brackets", String.raw`/,(?![^[]*\])/`, "move"],
  ["the last word", String.raw`/\w+$/`, "move"],
])("%s: %s", async (_, pattern, rule) => {
  expect(await broken(pattern)).toEqual([`regexp/no-super-linear-${rule}`]);
});

test.each([
  String.raw`/^(0|[1-9]\d{0,14})(\.\d{1,20})?$/`,
  String.raw`/[<>=]/`,
  String.raw`/^'*[=+\-@\t\r]/`,
])("%s passes", async (pattern) => {
  expect(await broken(pattern)).toEqual([]);
});
