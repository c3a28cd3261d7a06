/**
 * `replay`: a recorded hour on a real GPU: 19,366 requests in 3,500 s, as many as the conversation trace of Azure LLM
 * inference 2023 has, under vllm on one H100 with Llama-3.1-8B and a KV memory. LLMSIM_TRACE=file replays that one.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assertMeasured, median, table, wanted } from "./figures.js";
import { temporaryFolder } from "./temporary.js";

export const summary = "an hour of conversations on an H100 with KV memory, the whole command";

const PROGRAM = fileURLToPath(new URL("../../bin/llmsim.js", import.meta.url));
const LIMITS = ["--kv-tokens", "430000", "--max-tokens", "2048", "--max-sequences", "256"];
const HARDWARE = ["--hardware", "h100_llama-3.1-8b", ...LIMITS];

function llmsim(args, cwd) {
  const started = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args, "--workers", "0"], {
    cwd,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`llmsim ${args[0]}: exit code ${status}: ${stderr}`);
  return { ms: Number(process.hrtime.bigint() - started) / 1e6, stdout };
}

/** A trace of the project's own with bursts and heavy tails; lengths as of the original, about. */
function madeTrace(folder, requests) {
  const tail = (mu, sigma, max) => `{"kind":"lognormal","mu":${mu},"sigma":${sigma},"min":1,"max":${max}}`;
  const settings = [
    "--set workload.arrivals.kind=gamma",
    "--set workload.arrivals.cv=1.5",
    `--set workload.promptTokens=${tail(6.6, 1, 8000)}`,
    `--set workload.outputTokens=${tail(5.1, 0.7, 1500)}`,
  ];
  const args = ["run", "--scenario", "demo2", "--scheduler", "hybrid", "--lam", "5.53", "--tmax", "100000"];
  const sized = ["--n-queries", String(requests), "--ntrials", "1", "--requests", "rows.csv", "--quiet"];
  llmsim([...args, ...sized, ...settings.flatMap((one) => one.split(" "))], folder);
  const [head, ...rows] = readFileSync(join(folder, "rows.csv"), "utf8").trimEnd().split("\n");
  const places = ["arrived_at_s", "prompt_tokens", "output_tokens"].map((name) =>
    head.split(",").indexOf(name),
  );
  const lines = rows.map((row) => places.map((place) => row.split(",")[place]).join(","));
  const file = join(folder, "trace.csv");
  writeFileSync(file, ["arrival_s,prompt_tokens,output_tokens", ...lines, ""].join("\n"));
  return file;
}

export async function run({ isSmoke, say }) {
  const folder = temporaryFolder();
  const given = process.env.LLMSIM_TRACE;
  const trace = given ?? madeTrace(folder, isSmoke ? 500 : 19_366);
  const found = [];
  let metrics;
  for (let round = 0; round < (isSmoke ? 1 : 7); round++) {
    const args = ["run", ...HARDWARE, "--trace", trace, "--ntrials", "1", "--json", "--quiet"];
    const { ms, stdout } = llmsim(args, folder);
    found.push(ms);
    ({ metrics } = JSON.parse(stdout).results[0]);
  }
  const alone = [];
  for (let round = 0; round < (isSmoke ? 1 : 7); round++)
    alone.push(llmsim(["run", ...HARDWARE, "--n-queries", "1", "--ntrials", "1", "--quiet"], folder).ms);
  const [requests, iterations] = [metrics.n_completed.mean, metrics.n_iterations.mean];
  const ms = median(found);
  const rest = ms - median(alone);
  // The rest is a difference: in a single round beside other work chance may make it negative.
  assertMeasured({ ms, requests, iterations, ...(!isSmoke && { rest }) });
  say(
    table([
      ["", "", given === undefined ? "a trace made here" : given],
      ["the command", "ms", wanted(ms, "≤", 1000, 0)],
      ["less that of one request", "ns a request", ((1e6 * rest) / requests).toFixed(0)],
      ["", "ns an iteration", ((1e6 * rest) / iterations).toFixed(0)],
      ["", "requests, iterations", `${requests}, ${iterations}`],
    ]),
  );
}
