/**
 * A build of the library in a process of its own, which runs a round when it is told to. So two builds take
 * turns in the same minutes, each warm, and neither spoils the other's compiled code.
 *
 * Started with the build's folder; each message is a round, each answer its figures.
 */
import { pathToFileURL } from "node:url";
import { processorNs } from "./figures.js";

const folder = pathToFileURL(`${process.argv[2]}/`);
/** The first module of these that the build has: earlier ones had other rooms. */
async function moduleOf([path, ...earlier]) {
  try {
    return await import(new URL(path, folder).href);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND" || earlier.length === 0) throw error;
    return moduleOf(earlier);
  }
}
// What `import "llmsim"` gives; a build from before had no bundle.
const { simulate, prepare, Simulator } = await moduleOf(["bundle/index.js", "index.js"]);
const { measure } = await moduleOf(["core/measures/metrics.js", "core/metrics.js"]);
const { Tally } = await moduleOf(["core/measures/tally.js", "core/tally.js"]);
// As the commands of that build do: some had V8 compile more of the loop into one function.
await import(new URL("run/inlining.js", folder).href).then(
  ({ inlineMore }) => inlineMore(),
  () => {},
);

const COMPARED = ["ttft_mean_s", "tbt_mean_s", "rts_p95_s"];
const simulators = new Map();

process.on("message", ({ config, trials }) => {
  const { kind } = config.scheduler;
  const simulator = simulators.get(kind) ?? new Simulator();
  simulators.set(kind, simulator);
  process.send({ ...whole(simulator, config, trials), ...parts(simulator, config, trials) });
});

/** Trials as a user runs them: requests drawn anew, simulated, all metrics. */
function whole(simulator, config, trials) {
  const found = COMPARED.map(() => []);
  let requests = 0;
  const started = processorNs();
  for (let trial = 1; trial <= trials; trial++) {
    const { metrics } = simulate(config, { trial, simulator });
    requests += metrics.n_arrived;
    COMPARED.forEach((name, i) => found[i].push(metrics[name]));
  }
  const total = (processorNs() - started) / requests;
  return { requests, total, ...Object.fromEntries(COMPARED.map((name, i) => [name, estimate(found[i])])) };
}

/** The same again with a look at the clock between the steps. Other trials: the last one is still drawn. */
function parts(simulator, given, trials) {
  const config = prepare(given);
  let requests = 0;
  let draw = 0;
  let loop = 0;
  let statistics = 0;
  for (let trial = trials + 1; trial <= 2 * trials; trial++) {
    const t0 = processorNs();
    const drawn = simulator.draw(config, 1, trial);
    const t1 = processorNs();
    const outcome = simulator.run(config, drawn, { seed: 1, trial });
    const t2 = processorNs();
    const tally = new Tally(outcome.shared, config.conventions.tbt);
    tally.count(outcome, Infinity);
    measure(outcome, tally);
    statistics += processorNs() - t2;
    loop += t2 - t1;
    draw += t1 - t0;
    requests += drawn.count;
  }
  return { draw: draw / requests, loop: loop / requests, statistics: statistics / requests };
}

/** Mean and standard error over trials. */
function estimate(values) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, values.length > 1 ? Math.sqrt(squares / (values.length - 1) / values.length) : 0];
}
