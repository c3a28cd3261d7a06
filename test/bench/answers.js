/** `answers`: how long a user waits for what is no simulation: an end by Ctrl-C, a large file, a law with a heavy tail. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseText } from "../../dist/config/yaml.js";
import { pow } from "../../dist/core/numbers/arithmetic.js";
import { readTrace } from "../../dist/io/trace-reader.js";
import { expectation } from "../../dist/theory/index.js";
import { assertMeasured, median, table, timed, wanted } from "./figures.js";
import { temporaryFolder } from "./temporary.js";

export const summary =
  "until Ctrl-C is heard, large files are read, and a Redis that is not there is given up";

const PROGRAM = fileURLToPath(new URL("../../bin/llmsim.js", import.meta.url));
const RUN = "run --scheduler hybrid --tmax 500";

/** Milliseconds of a command until its end, or from its first line of progress on, when it is interrupted. */
function ending(command, expected, cwd, isInterrupted) {
  return new Promise((resolve, reject) => {
    let from = process.hrtime.bigint();
    const child = spawn(process.execPath, [PROGRAM, ...command.split(" ")], {
      cwd,
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.once("data", () => {
      if (!isInterrupted) return;
      from = process.hrtime.bigint();
      child.kill("SIGINT");
    });
    child.stderr.resume();
    child.once("exit", (code) => {
      if (code !== expected) reject(new Error(`llmsim ${command}: exit code ${code}, expected ${expected}`));
      resolve(Number(process.hrtime.bigint() - from) / 1e6);
    });
  });
}

function traceOf(rows) {
  const lines = Array.from({ length: rows }, (_, i) => `${i / 1000},${1 + (i % 4000)},7\n`);
  return `arrival_s,prompt_tokens,output_tokens\n${lines.join("")}`;
}

/** A text as a file gives it. */
async function* bytesOf(text) {
  yield Buffer.from(text);
}

export async function run({ isSmoke, say }) {
  const cwd = temporaryFolder();
  const interrupted = (workers, folder) =>
    ending(`${RUN} --ntrials 40000 --workers ${workers} --out-data ${folder}`, 130, cwd, true);
  const trace = traceOf(isSmoke ? 1000 : 1_000_000);
  const keys = Array.from({ length: isSmoke ? 100 : 17_000 }, (_, i) => `key${i}: 1\n`).join("");
  const pareto = { survival: (n) => (n < 1e7 ? pow(n + 1, -1.1) : 0) };
  const inMs = async (work) => (await timed(work)) / 1e6;
  const parts = [
    ["Ctrl-C, --workers 0", 2000, (i) => interrupted(0, `a${i}`)],
    ["Ctrl-C, --workers 2", 2000, (i) => interrupted(2, `b${i}`)],
    [
      "a Redis that is not there",
      6000,
      () => ending(`${RUN} --executor bullmq --redis redis://127.0.0.1:1`, 2, cwd, false),
    ],
    [
      "a trace of a million rows",
      10_000,
      () => inMs(() => readTrace(bytesOf(trace), "trace.csv", { use: "replay" })),
    ],
    ["a configuration of 17,000 keys", 5000, () => inMs(() => parseText(keys, "study.yaml"))],
    ["the mean of a heavy tail", 500, () => inMs(() => expectation(pareto, (n) => n))],
  ];
  const rows = [["", "ms"]];
  for (const [name, most, measure] of parts) {
    const found = [];
    for (let round = 0; round < (isSmoke ? 1 : 3); round++) found.push(await measure(round));
    assertMeasured({ [name]: median(found) });
    rows.push([name, wanted(median(found), "≤", most, 0)]);
  }
  say(table(rows));
}
