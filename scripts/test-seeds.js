/**
 * The tests with other seeds than the fixed one: `npm test` draws the same cases each time, this draws others.
 *
 *   node scripts/test-seeds.js                          every file that has a property, with 10 seeds
 *   node scripts/test-seeds.js --seeds 100 --runs 50    with 100, of each property at most 50 cases a seed
 *   node scripts/test-seeds.js test/core/x.test.ts      one file (or a folder)
 *   node scripts/test-seeds.js --whole 5                the whole suite, once a seed, with 5
 *
 * `--first 1000` is the first seed, else 1; `--beside-load` keeps every core busy meanwhile, `--keep-going` goes on
 * after a failure. Properties are asserted with twenty seeds a process (test/many-seeds.ts), as loading the files takes
 * longer than most of them. It needs what `npm run build` makes. Exit code 1 if anything failed, 2 for a bad command line.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
const LARGEST_SEED = 2 ** 31 - 1;
/** Seeds of one process. */
const TOGETHER = 20;

/** Command line to what is to be done; throws a message for people. */
function wishes() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: "string" },
      whole: { type: "string" },
      runs: { type: "string" },
      first: { type: "string", default: "1" },
      "beside-load": { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
    },
  });
  const whole = (name, least) => {
    const text = values[name];
    if (text === undefined) return undefined;
    if (!/^\d{1,10}$/.test(text) || Number(text) < least || Number(text) > LARGEST_SEED)
      throw new Error(
        `invalid --${name}: ${text} (an integer at least ${least} and at most ${LARGEST_SEED})`,
      );
    return Number(text);
  };
  const isWhole = values.whole !== undefined;
  for (const name of ["seeds", "runs"])
    if (isWhole && values[name] !== undefined) throw new Error(`--${name}: does nothing with --whole`);
  if (isWhole && positionals.length > 0) throw new Error(`${positionals[0]}: no file is chosen with --whole`);
  const first = whole("first", 0);
  const seeds = whole("whole", 1) ?? whole("seeds", 1) ?? 10;
  if (first + seeds - 1 > LARGEST_SEED)
    throw new Error(`--first: ${first} leaves no room for ${seeds} seeds`);
  const files = isWhole ? [] : positionals.length > 0 ? positionals.flatMap(testsIn) : propertyFiles();
  const flags = { isLoaded: values["beside-load"], keepsGoing: values["keep-going"] };
  return { isWhole, files, first, seeds, runs: whole("runs", 1), ...flags };
}

/** The test files below a path, or the file itself. */
function testsIn(path) {
  if (!statSync(path, { throwIfNoEntry: false })) throw new Error(`unknown file: ${path}`);
  if (statSync(path).isFile()) return [path];
  const found = readdirSync(path, { recursive: true, encoding: "utf8" });
  return found.filter((name) => name.endsWith(".test.ts")).map((name) => join(path, name));
}

const propertyFiles = () =>
  testsIn(join(ROOT, "test")).filter((file) => /\bfc\.assert\(/.test(readFileSync(file, "utf8")));

/** Processes that keep every core busy, until they are told to end or this one has. */
function load() {
  const busy = `const parent = process.ppid;
    (function turn() { for (let i = 0; i < 1e8; i++); if (process.ppid === parent) setImmediate(turn); })();`;
  const children = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ["-e", busy], { stdio: "ignore" }),
  );
  return () => children.forEach((child) => child.kill());
}

/** Runs the tests; the failures that they tell of, each with file, test and message. */
async function failuresOf(files, env) {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-seeds-"));
  const report = join(folder, "report.json");
  // What a test takes with twenty seeds is no sign of its hanging.
  const flags = ["--reporter=json", `--outputFile=${report}`, "--testTimeout=7200000"];
  const child = spawn(process.execPath, [VITEST, "run", ...flags, ...files], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaints = "";
  child.stderr.on("data", (text) => (complaints += text));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  try {
    const { testResults } = JSON.parse(readFileSync(report, "utf8"));
    const found = testResults.flatMap(({ name, message, assertionResults }) => {
      const file = relative(ROOT, name);
      const failed = assertionResults.filter(({ status }) => status === "failed");
      const told = failed.map((one) => ({
        file,
        test: one.fullName,
        message: one.failureMessages.join("\n"),
      }));
      return told.length === 0 && message ? [{ file, test: "", message }] : told;
    });
    if (found.length > 0 || code === 0) return found;
  } catch {
    // It did not come to a report: what it complained of is the failure.
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [{ file: "", test: `vitest ended with ${code}`, message: complaints }];
}

/** A line for each seed that a failure names, else for those that ran; and what it says, in short. */
function tell({ file, test, message }, tried) {
  const named = [...message.matchAll(/^\{ seed: (\d+), /gm)].map(([, seed]) => seed);
  for (const seed of named.length > 0 ? named : [tried]) console.log(`FAILED seed ${seed}: ${file}: ${test}`);
  const lines = message.split("\n").filter((line) => !/^\s+at /.test(line));
  console.log(lines.slice(0, 40).join("\n").slice(0, 4000));
}

async function tryAll({ isWhole, files, first, seeds, runs, keepsGoing }) {
  let failed = 0;
  let done = 0;
  while (done < seeds && (failed === 0 || keepsGoing)) {
    const from = first + done;
    const count = isWhole ? 1 : Math.min(TOGETHER, seeds - done);
    const tried = count === 1 ? `${from}` : `${from} to ${from + count - 1}`;
    const failures = await failuresOf(files, {
      LLMSIM_TEST_SEED: String(from),
      ...(!isWhole && { LLMSIM_TEST_SEEDS: String(count) }),
      ...(runs !== undefined && { LLMSIM_PROPERTY_RUNS: String(runs) }),
      ...(keepsGoing && { LLMSIM_TEST_KEEP_GOING: "1" }),
    });
    for (const failure of failures) tell(failure, tried);
    failed += failures.length;
    done += count;
    console.log(`seeds ${tried}: ${failures.length === 0 ? "passed" : `${failures.length} failed`}`);
  }
  const what = isWhole ? "the whole suite" : `${files.length} files`;
  console.log(`${what}, ${done} of ${seeds} seeds: ${failed === 0 ? "passed" : `${failed} failed`}`);
  return failed === 0;
}

let wish;
try {
  wish = wishes();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(2);
}
const rest = wish.isLoaded ? load() : () => {};
try {
  process.exitCode = (await tryAll(wish)) ? 0 : 1;
} finally {
  rest();
}
