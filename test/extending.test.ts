/**
 * Each recipe of docs/extending.md, as it is printed: the file is made and its line added in a copy of the project, and
 * the family's own tests are run on the new member. With LLMSIM_LONG=1 the copy is compiled as well.
 */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { test } from "./cli/session.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

interface Recipe {
  /** The file that is made, or added to. */
  readonly path: string;
  /** Of an entry: the list at whose end it stands. */
  readonly list: string | undefined;
  readonly code: string;
}
const RECIPES: readonly Recipe[] = [
  ...readFileSync(join(ROOT, "docs/extending.md"), "utf8").matchAll(/^```ts (\S+)(?: (\w+))?\n(.*?)^```$/gms),
].map(([, path, list, code]) => ({ path: path!, list, code: code! }));

/** The tests that run a new member, and how they call it. */
const SUITES: Readonly<Record<string, string>> = {
  "test/contract/schedulers.test.ts": "half-budget",
  "test/contract/disciplines.test.ts": "longest-first",
  "test/contract/routers.test.ts": "in-pairs",
  "test/contract/arrivals.test.ts": "erlang-2",
  "test/contract/lengths.test.ts": "two-points",
  "test/contract/service-times.test.ts": "roofline",
  "test/contract/metrics.test.ts": "decode_share",
  "test/contract/experiments.test.ts": "first-token",
  "test/cli/output/help.test.ts": "first-token",
};

function follow({ path, list, code }: Recipe, root: string): void {
  const at = join(root, path);
  if (list !== undefined) {
    const text = readFileSync(at, "utf8");
    const end = text.indexOf("\n];\n", text.indexOf(`export const ${list}`));
    expect(end, `${path}: the end of ${list}`).toBeGreaterThan(0);
    writeFileSync(at, `${text.slice(0, end + 1)}${code}${text.slice(end + 1)}`);
  } else if (existsSync(at)) appendFileSync(at, code);
  else {
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, code);
  }
}

test("every recipe is made, registered, and passes its family's tests", ({ folder }) => {
  for (const name of ["src", "test", "data", "vitest.config.ts", "package.json", "bin", "scripts"])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  for (const name of ["tsconfig.json", "tsconfig.test.json", "examples", "docs"])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  for (const name of ["node_modules", "dist"]) symlinkSync(join(ROOT, name), join(folder, name));

  expect(RECIPES.length).toBe(15);
  for (const recipe of RECIPES) follow(recipe, folder);
  const run = (program: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, "node_modules", program), ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });

  if (process.env.LLMSIM_LONG === "1") {
    const { status, stdout } = run("typescript/bin/tsc", "--noEmit", "-p", "tsconfig.json");
    expect([status, stdout]).toEqual([0, ""]);
  }
  const names = Object.values(SUITES).join("|");
  const report = join(folder, "report.json");
  const options = ["--reporter=json", `--outputFile=${report}`, "-t", names];
  const { stdout, stderr } = run("vitest/vitest.mjs", "run", ...Object.keys(SUITES), ...options);
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as {
    testResults: {
      name: string;
      assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
    }[];
  };
  for (const [file, name] of Object.entries(SUITES)) {
    const ran = testResults
      .filter((one) => one.name.endsWith(file))
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === "passed" || status === "failed");
    expect(
      ran.filter(({ status }) => status === "failed"),
      stdout + stderr,
    ).toEqual([]);
    expect(ran.filter(({ fullName }) => fullName.includes(name)).length, file).toBeGreaterThan(0);
  }
});
