/** `workers`: a sweep on two threads against one, after both pools have started. */
import { prepare } from "../../dist/index.js";
import { threadPool } from "../../dist/run/pool.js";
import { runner } from "../../dist/run/runner.js";
import { demo2, SCHEDULERS } from "./demo2.js";
import { assertMeasured, median, timed, wanted } from "./figures.js";

export const summary = "a sweep of 100 trials with --workers 2 against --workers 1";

const quiet = { begin() {}, advance() {}, end() {} };
const sweep = (tmaxSeconds, trials) => ({
  label: "bench",
  configs: SCHEDULERS.map(({ kind }) => prepare(demo2(kind, { tmaxSeconds }))),
  seed: 1,
  trials,
});

export async function run({ isSmoke, say }) {
  const { trials, pairs, leastSeconds } = isSmoke
    ? { trials: 4, pairs: 1, leastSeconds: 0.05 }
    : { trials: 100, pairs: 5, leastSeconds: 5.5 };
  const pools = [threadPool(1), threadPool(2)];
  const [one, two] = pools.map((pool) => runner(pool, quiet));
  try {
    // Starts the threads, warms their code, and says how long a window makes enough work.
    await two.run(sweep(1000, trials));
    await one.run(sweep(1000, trials));
    const perSecond = (await timed(() => one.run(sweep(1000, trials)))) / 1e9 / 1000;
    const request = sweep(Math.ceil(leastSeconds / perSecond), trials);
    const ratios = [];
    const alone = [];
    let requests = 0;
    for (let pair = 0; pair < pairs; pair++) {
      let records;
      const single = await timed(async () => (records = await one.run(request)));
      const double = await timed(() => two.run(request));
      requests = request.configs.reduce(
        (sum, _, i) => sum + records.metric(i, "n_arrived").reduce((a, b) => a + b),
        0,
      );
      alone.push(single);
      ratios.push(single / double);
      say(`  ${(single / 1e9).toFixed(2)} s / ${(double / 1e9).toFixed(2)} s = ${ratios.at(-1).toFixed(3)}`);
    }
    const rate = requests / (median(alone) / 1e9) / 1e6;
    assertMeasured({ ratio: median(ratios), rate });
    say(`one worker: ${rate.toFixed(2)} million requests a second`);
    say(`two against one, median of ${pairs} pairs: ${wanted(median(ratios), "≥", 1.85)}`);
  } finally {
    await Promise.all(pools.map((pool) => pool.close()));
  }
}
