/**
 * The long mode of the tests (LLMSIM_LONG=1): what `npm test` tries a little of is tried to the numbers that README and
 * SECURITY.md state. It needs what `npm run build` makes, and about two hours.
 *
 *   node scripts/long.js                  all parts
 *   node scripts/long.js kills inputs     these parts: kills, inputs, files, rest
 *
 * No generated input may take more than 5 s of processor time or have the process grow beyond 1 GB: the limits stand
 * here, as no test looks at a clock. Exit code 1 if anything failed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
const INPUTS = 100_000;
/** Of one process: its folder and its modules are made anew after so many. */
const TOGETHER = 10_000;
const LIMIT = { seconds: 5, megabytes: 1024 };

const KILLS = ["test/cli/resume/resume.test.ts"];
const FILES = [
  "test/cli/files/writing.test.ts",
  "test/io/files.test.ts",
  "test/cli/files/large-files.test.ts",
];

/** The files of a part, or what it does. */
const PARTS = {
  kills: () => vitest(KILLS),
  inputs,
  files: () => vitest(FILES),
  // The whole suite but for these.
  rest: () => vitest(["test/cli/fuzz.test.ts", ...KILLS, ...FILES].flatMap((file) => ["--exclude", file])),
};

/** Runs test files in the long mode; whether they passed. */
function vitest(files, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [VITEST, "run", ...files], {
      cwd: ROOT,
      env: { ...process.env, LLMSIM_LONG: "1", ...env },
      stdio: "inherit",
    });
    child.on("exit", (code) => resolve(code === 0));
  });
}

/** Generated inputs, some thousands a process, and what each cost. */
async function inputs() {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-"));
  const costs = join(folder, "costs");
  let passed = true;
  for (let first = 0; first < INPUTS; first += TOGETHER) {
    const LLMSIM_FUZZ = `${first}-${first + TOGETHER}`;
    passed = (await vitest(["test/cli/fuzz.test.ts"], { LLMSIM_FUZZ, LLMSIM_COSTS: costs })) && passed;
  }
  const told = readFileSync(costs, "utf8").trimEnd().split("\n");
  rmSync(folder, { recursive: true });
  const cases = told.map((line) => {
    const [number, seconds, megabytes] = line.split(" ", 3).map(Number);
    return { number, seconds, megabytes, line };
  });
  const largest = (of) => cases.reduce((most, one) => Math.max(most, of(one)), 0);
  console.log(
    `${cases.length} inputs: the dearest took ${largest(({ seconds }) => seconds).toFixed(2)} s of processor time, the largest process had ${largest(({ megabytes }) => megabytes).toFixed(0)} MB`,
  );
  const beyond = cases.filter((one) => one.seconds > LIMIT.seconds || one.megabytes > LIMIT.megabytes);
  for (const { line } of beyond.slice(0, 20)) console.log(`beyond the limit: ${line.slice(0, 700)}`);
  return passed && cases.length === INPUTS && beyond.length === 0;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !Object.hasOwn(PARTS, part));
if (unknown.length > 0) {
  console.error(`unknown part: ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}
let failed = 0;
for (const part of asked.length > 0 ? asked : Object.keys(PARTS)) {
  const startedAt = performance.now();
  const passed = await PARTS[part]();
  if (!passed) failed++;
  console.log(
    `${part}: ${passed ? "passed" : "FAILED"} in ${((performance.now() - startedAt) / 60_000).toFixed(0)} min`,
  );
}
process.exitCode = failed > 0 ? 1 : 0;
