/**
 * `npm run bench`: nanoseconds per request of the three schedulers on demo2 (one core, a long window, every
 * metric on, after warm-up), and requests per second over the pool. Machines are noisy: compare ratios of one run.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { simulate, Simulator, prepare } from "../../dist/index.js";
import { threadPool } from "../../dist/run/pool.js";
import { runner } from "../../dist/run/runner.js";

const scenario = JSON.parse(
  readFileSync(new URL("../../data/scenarios/demo2.json", import.meta.url), "utf8"),
);
const SCHEDULERS = ["decode-prioritizing", "prefill-prioritizing", "hybrid"];
const TRIALS = 60;
const ROUNDS = 5;

const configOf = (kind, tmaxSeconds = 5000) => ({
  workload: scenario.workload,
  service: scenario.service,
  engine: scenario.engine,
  scheduler: { kind },
  horizon: { tmaxSeconds },
});
const median = (values) =>
  values.toSorted?.((a, b) => a - b)[values.length >> 1] ??
  [...values].sort((a, b) => a - b)[values.length >> 1];

/** ns per request of some trials, requests drawn anew for each. */
function measure(kind, simulator) {
  const started = process.hrtime.bigint();
  let requests = 0;
  for (let trial = 1; trial <= TRIALS; trial++)
    requests += simulate(configOf(kind), { trial, simulator }).metrics.n_arrived;
  return Number(process.hrtime.bigint() - started) / requests;
}

console.log(`demo2, λ = 2, T = 5000 s, ${TRIALS} trials a round, median of ${ROUNDS} rounds, one core`);
for (const kind of SCHEDULERS) {
  const simulator = new Simulator();
  measure(kind, simulator);
  const rounds = Array.from({ length: ROUNDS }, () => measure(kind, simulator));
  console.log(`${kind.padEnd(22)} ${median(rounds).toFixed(0).padStart(5)} ns/request`);
}

const quiet = { begin() {}, advance() {}, end() {} };
const configs = SCHEDULERS.map((kind) => prepare(configOf(kind)));
for (const workers of [...new Set([1, availableParallelism()])]) {
  const pool = threadPool(workers);
  const trials = runner(pool, quiet);
  const request = { label: "bench", configs, seed: 1, trials: 100 };
  await trials.run(request); // starts the threads and warms their code
  const started = process.hrtime.bigint();
  const records = await trials.run(request);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const requests = configs.reduce(
    (sum, _, i) => sum + records.metric(i, "n_arrived").reduce((a, b) => a + b),
    0,
  );
  await pool.close();
  console.log(
    `pool, ${workers} worker${workers > 1 ? "s" : ""}: ${(requests / seconds / 1e6).toFixed(2)} million requests/s`,
  );
}
