/** What the page and its workers say to each other: a trial to run, and what it came to. */
import type { Lane } from "../charts/index.js";
import type { SimulationConfig } from "../core/configuration/config.js";

export interface Order {
  /** Which settings it belongs to; answers to earlier ones are dropped. */
  readonly job: number;
  readonly configs: readonly SimulationConfig[];
  readonly labels: readonly string[];
  readonly seed: number;
  readonly trial: number;
  /** Record the first iterations, this many a scheduler, instead of measuring; 0: measure. */
  readonly record: number;
}

export interface Answer {
  readonly job: number;
  readonly trial: number;
  /** METRICS by configuration, the last index running fastest. */
  readonly values?: Float64Array;
  /** Curves (experiments/explore/curves.ts) by configuration. */
  readonly curves?: readonly Float64Array[];
  readonly lanes?: readonly Lane[];
  /** What went wrong: the settings' fault, or ours. */
  readonly error?: string;
}
