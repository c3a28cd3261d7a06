/** The page's worker: the same core as the command line's, a trial of every scheduler at a time. */
import type { Lane } from "../charts/index.js";
import { METRICS } from "../core/measures/metrics.js";
import { runTrial, Simulator } from "../core/trial/simulate.js";
import { curvesOf } from "../experiments/explore/curves.js";
import { LaneRecorder } from "../experiments/explore/recording.js";
import type { Answer, Order } from "./messages.js";

const simulator = new Simulator();

/** What an order's answer holds. */
function answerTo({ job, configs, labels, seed, trial, record }: Order): Answer {
  if (record > 0) {
    const lanes = configs.map((config, i): Lane => {
      const recorder = new LaneRecorder(record);
      const requests = simulator.draw(config, seed, trial);
      return recorder.lane(labels[i], simulator.run(config, requests, { seed, trial, observer: recorder }));
    });
    return { job, trial, lanes };
  }
  const values = new Float64Array(configs.length * METRICS.length);
  const curves = configs.map((config, i) => {
    const requests = simulator.draw(config, seed, trial);
    const { values: found, outcome } = runTrial(simulator, config, requests, { seed, trial, verify: false });
    values.set(found, i * METRICS.length);
    return curvesOf(config, outcome);
  });
  return { job, trial, values, curves };
}

self.onmessage = ({ data }: MessageEvent<Order>): void => {
  try {
    self.postMessage(answerTo(data));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    self.postMessage({ job: data.job, trial: data.trial, error: message } satisfies Answer);
  }
};
