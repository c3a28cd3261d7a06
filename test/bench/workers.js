/** `workers`: a sweep on two threads against one, after both pools have started. */
import { cpus } from "node:os";
import { prepare } from "../../dist/index.js";
import { threadPool } from "../../dist/run/pool.js";
import { runner } from "../../dist/run/runner.js";
import { demo2, SCHEDULERS } from "./demo2.js";
import { assertMeasured, median, timed, wanted } from "./figures.js";

export const summary = "a sweep of 100 trials with --workers 2 against --workers 1";

/** A pair counts when other processes took no more than this share of two cores: they slow two workers, not one. */
const MOST_OF_OTHERS = 0.03;

const quiet = { begin() {}, advance() {}, end() {} };
const sweep = (tmaxSeconds, trials) => ({
  label: "bench",
  configs: SCHEDULERS.map(({ kind }) => prepare(demo2(kind, { tmaxSeconds }))),
  seed: 1,
  trials,
});

export async function run({ isSmoke, say }) {
  const size = isSmoke
    ? { trials: 4, pairs: 1, most: 1, leastSeconds: 0.05 }
    : { trials: 100, pairs: 5, most: 12, leastSeconds: 5.5 };
  const pools = [threadPool(1), threadPool(2)];
  const [one, two] = pools.map((pool) => runner(pool, quiet));
  try {
    // Starts the threads, warms their code, and says how long a window makes enough work.
    const short = sweep(1000, size.trials);
    await two.run(short);
    await one.run(short);
    const nsASecond = (await timed(() => one.run(short))) / 1000;
    const request = sweep(Math.ceil((size.leastSeconds * 1e9) / nsASecond), size.trials);
    await takePairs({ one, two, request, ...size, say });
  } finally {
    await Promise.all(pools.map((pool) => pool.close()));
  }
}

async function takePairs({ one, two, request, pairs, most, say }) {
  const all = [];
  const counted = [];
  let records;
  while (counted.length < pairs && all.length < most) {
    const single = await watched(async () => (records = await one.run(request)));
    const double = await watched(() => two.run(request));
    const pair = { ratio: single.ns / double.ns, alone: single.ns };
    const others = Math.max(single.others, double.others);
    const isDisturbed = others > MOST_OF_OTHERS;
    all.push(pair);
    if (!isDisturbed) counted.push(pair);
    say(
      `  ${seconds(single.ns)} / ${seconds(double.ns)} = ${pair.ratio.toFixed(3)}; work of two ${(double.cpu / single.cpu).toFixed(3)} of one's; others took ${(others * 100).toFixed(0)} %${isDisturbed ? ": not counted" : ""}`,
    );
  }
  const used = counted.length > 0 ? counted : all;
  if (counted.length < pairs)
    say(`only ${counted.length} of ${all.length} pairs undisturbed: other processes use the cores`);
  const ratio = median(used.map((pair) => pair.ratio));
  const arrived = request.configs.map((_, i) => records.metric(i, "n_arrived").reduce((a, b) => a + b));
  const rate = arrived.reduce((a, b) => a + b) / (median(used.map((pair) => pair.alone)) / 1e9);
  assertMeasured({ ratio, rate });
  say(`one worker: ${(rate / 1e6).toFixed(2)} million requests a second`);
  say(`two against one, median of ${used.length} pairs: ${wanted(ratio, "≥", 1.85)}`);
}

const seconds = (ns) => `${(ns / 1e9).toFixed(2)} s`;

/** Times `work`, with the processor time it took (µs), and the share of two cores that other processes took. */
async function watched(work) {
  const busyBefore = busyMs();
  const cpuBefore = process.cpuUsage();
  const ns = await timed(work);
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpu = user + system;
  return { ns, cpu, others: Math.max(0, busyMs() - busyBefore - cpu / 1e3) / (2 * (ns / 1e6)) };
}

/** Processor time of the whole machine, in ms. */
const busyMs = () =>
  cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
