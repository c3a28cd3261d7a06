/**
 * The port through which experiments ask for trials. An experiment is a pure function of its options and
 * this port: the command line hands it a pool of threads, the browser page its web worker.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { invariant } from "../../core/errors.js";
import {
  isSameMeasure,
  type Measure,
  percentileMeasure,
  VALUES_EACH,
  valuesOfRun,
} from "../../core/measures/measures.js";
import { METRICS, metricIndex } from "../../core/measures/metrics.js";
import type { StabilityTask } from "../../core/trial/trial.js";

export interface TrialRequest {
  /** What is being simulated, for progress. */
  readonly label: string;
  readonly configs: readonly SimulationConfig[];
  readonly seed: number;
  readonly trials: number;
  /** Number of the first trial; 1 unless given. */
  readonly first?: number;
  /** Time windows in seconds; the configurations' own horizon unless given. */
  readonly windows?: readonly number[];
  /** What to measure besides METRICS (core/measures/measures.ts). */
  readonly measures?: readonly Measure[];
  /** Check every law of the model while simulating, whatever the executor does otherwise. */
  readonly verify?: boolean;
  /** A configuration that cannot be simulated is noted in the records (`failed`), and the others go on. */
  readonly goesOnAfterFailures?: boolean;
}

export interface Trials {
  /** Runs the trials of every configuration; records stand by trial number, whoever ran them and when. */
  run(request: TrialRequest): Promise<TrialRecords>;
  /** Runs from a backlog; records stand in the order of the tasks. */
  stability(label: string, tasks: readonly StabilityTask[]): Promise<StabilityRecord[]>;
  /** A pause between two simulations that an experiment makes by itself; false: the user asks to stop. */
  goesOn?(): Promise<boolean>;
  /** About how many seconds a request would take at the pace so far; undefined before anything has run. */
  secondsFor?(request: TrialRequest): number | undefined;
}

/** What a run from a backlog served, and what one from empty left. */
export interface StabilityRecord {
  /** The backlog was gone before the end. */
  readonly emptied: boolean;
  /** Requests that an empty start had not finished after the same arrivals; NaN when not asked for. */
  readonly left: number;
  /** Tokens by batch. */
  readonly decodeTokens: Float64Array;
  readonly prefillTokens: Float64Array;
  /** Prompts whose prefill ended, by batch. */
  readonly prompts: Float64Array;
}

/** The answer to a stability task, unpacked. */
export const stabilityRecord = (task: StabilityTask, values: Float64Array): StabilityRecord => ({
  emptied: values[0] === 1,
  left: values[1],
  decodeTokens: values.subarray(2, 2 + task.batches),
  prefillTokens: values.subarray(2 + task.batches, 2 + 2 * task.batches),
  prompts: values.subarray(2 + 2 * task.batches),
});

/** Every metric of every trial of a request. */
export class TrialRecords {
  readonly configs: readonly SimulationConfig[];
  readonly trials: number;
  readonly windows: number;
  /** What was measured besides METRICS. */
  readonly measures: readonly Measure[];
  /** Values of a configuration and window: METRICS, and what was measured besides. */
  readonly width: number;
  /** By trial, configuration, window and value, the last index running fastest. */
  readonly values: Float64Array;
  /** By configuration why it could not be simulated; it has no value then. */
  readonly failed = new Map<number, Error>();

  constructor(request: TrialRequest, values?: Float64Array) {
    this.configs = request.configs;
    this.trials = request.trials;
    this.windows = Math.max(1, request.windows?.length ?? 0);
    this.measures = request.measures ?? [];
    this.width = valuesOfRun(this.measures);
    this.values = values ?? new Float64Array(this.trials * this.configs.length * this.windows * this.width);
  }

  /** The records of a request that was run in parts, one after the other by trial number. */
  static joined(request: TrialRequest, parts: readonly TrialRecords[]): TrialRecords {
    const whole = new TrialRecords(request);
    let at = 0;
    for (const { values } of parts) {
      whole.values.set(values, at);
      at += values.length;
    }
    return whole;
  }

  /** The records of the first trials alone. */
  firstTrials(trials: number): TrialRecords {
    const { configs, windows, measures } = this;
    const values = this.values.subarray(0, trials * configs.length * windows * this.width);
    const first = new TrialRecords(
      { label: "", configs, seed: 0, trials, windows: new Array(windows).fill(0), measures },
      values,
    );
    for (const [config, reason] of this.failed) first.failed.set(config, reason);
    return first;
  }

  /** Notes that a configuration cannot be simulated: what some of its trials came to would mislead. */
  fail(config: number, reason: Error): void {
    this.failed.set(config, reason);
    const width = this.windows * this.width;
    for (let trial = 0; trial < this.trials; trial++) {
      const from = this.offset(trial, config);
      this.values.fill(NaN, from, from + width);
    }
  }

  /** Where the values of (trial, configuration) begin; trials count from 0 here. */
  offset(trial: number, config: number): number {
    return (trial * this.configs.length + config) * this.windows * this.width;
  }

  /**
   * One metric of one configuration (and window), a value a trial; NaN where a trial had none. A percentile that has no
   * column must have been measured besides.
   */
  metric(config: number, metric: string, window = 0): number[] {
    const measure = percentileMeasure(metric);
    return measure
      ? this.measured(config, measure, window).values
      : this.column(config, window, metricIndex(metric));
  }

  /** What was measured besides, a value a trial: that of a measure, and the number of values that there were. */
  measured(
    config: number,
    measure: Measure,
    window = 0,
  ): { readonly values: number[]; readonly counts: number[] } {
    const place = this.measures.findIndex((one) => isSameMeasure(one, measure));
    invariant(place >= 0, () => `trials did not measure ${JSON.stringify(measure)}`);
    const at = METRICS.length + VALUES_EACH * place;
    return { values: this.column(config, window, at), counts: this.column(config, window, at + 1) };
  }

  private column(config: number, window: number, at: number): number[] {
    const { values, trials } = this;
    const each = this.configs.length * this.windows * this.width;
    const first = this.offset(0, config) + window * this.width + at;
    const found = new Array<number>(trials);
    for (let trial = 0; trial < trials; trial++) found[trial] = values[first + trial * each];
    return found;
  }
}
