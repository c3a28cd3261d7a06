/**
 * One point of the growth bench, alone in its process: the peak of memory is this point's own.
 * Arguments: a configuration (JSON), the number of trials. Prints JSON: ns per request in
 * the first of them, which touches its memory for the first time, and in the median of the others; peak bytes.
 */
import { simulate, Simulator } from "../../dist/bundle/index.js";
import { median, processorNs } from "./figures.js";

const config = JSON.parse(process.argv[2]);
const trials = Number(process.argv[3]);
/** Enough for the compiler to know the code, small beside what is measured. */
const WARM_UP = 100_000;

const simulator = new Simulator();
const warm = {
  ...config,
  horizon: { ...config.horizon, maxRequests: Math.min(WARM_UP, config.horizon.maxRequests) },
};
for (let trial = 1; trial <= 5; trial++) simulate(warm, { trial, simulator });

const found = [];
for (let trial = 11; trial <= 11 + trials; trial++) {
  const started = processorNs();
  const { metrics } = simulate(config, { trial, simulator });
  found.push((processorNs() - started) / metrics.n_arrived);
  if (metrics.n_completed !== config.horizon.maxRequests) throw new Error(`${metrics.n_completed} requests`);
}
const KIB = 1024; // the unit of maxRSS
const [first, ...others] = found;
console.log(JSON.stringify({ first, ns: median(others), bytes: process.resourceUsage().maxRSS * KIB }));
