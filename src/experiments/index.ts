/**
 * The experiments, an entry each: what the list of commands says of it, and where it is. It is loaded when its
 * command is given and not before: all of them with all they need take longer than `--help` itself.
 */
import type { Experiment } from "./interface/experiment.js";

export interface Listed {
  /** The command's name; the experiment's own. */
  readonly name: string;
  /** What it does, in the few words of a list. */
  readonly summary: string;
  load(): Promise<Experiment>;
}

/** In the order of help. */
export const EXPERIMENTS: readonly Listed[] = [
  {
    name: "demo",
    summary: "the main job in half a minute",
    load: async () => (await import("./demo/demo.js")).demo,
  },
  {
    name: "run",
    summary: "simulate one scenario under one or several schedulers",
    load: async () => (await import("./run/run.js")).run,
  },
  {
    name: "sweep",
    summary: "any setting, or two, over a list of values",
    load: async () => (await import("./sweep/sweep.js")).sweep,
  },
  {
    name: "compare",
    summary: "configurations, or one and an earlier result",
    load: async () => (await import("./compare/compare.js")).compare,
  },
  {
    name: "plan",
    summary: "the load within an SLO, and the replicas for a load",
    load: async () => (await import("./plan/plan.js")).plan,
  },
  {
    name: "validate",
    summary: "the simulator against queueing theory",
    load: async () => (await import("./validate/validate.js")).validate,
  },
  {
    name: "sweep-time",
    summary: "metrics against the length of the time window",
    load: async () => (await import("./sweep/sweep-time.js")).sweepTimeExperiment,
  },
  {
    name: "stability",
    summary: "sweep over λ and the boundary λ* of each scheduler",
    load: async () => (await import("./stability/stability.js")).stability,
  },
  {
    name: "sweep-chunk",
    summary: "no chunking against each chunk size",
    load: async () => (await import("./sweep/sweep-chunk.js")).sweepChunk,
  },
  {
    name: "hybrid",
    summary: "the decode ratio of mixed batches",
    load: async () => (await import("./sweep/hybrid.js")).hybrid,
  },
  {
    name: "calibrate",
    summary: "fit service times to a GPU's measured steps",
    load: async () => (await import("./calibrate/calibrate.js")).calibrate,
  },
  {
    name: "plot",
    summary: "redraw every figure from the CSVs",
    load: async () => (await import("./reproduce/plot.js")).plot,
  },
  {
    name: "explore",
    summary: "sliders, charts and a timeline in the browser",
    load: async () => (await import("./explore/explore.js")).explore,
  },
  {
    name: "animate",
    summary: "the timeline as an animated GIF",
    load: async () => (await import("./explore/animate.js")).animate,
  },
  {
    name: "report",
    summary: "one page from the CSVs of a reproduction",
    load: async () => (await import("./report/report.js")).report,
  },
  {
    name: "reproduce",
    summary: "the earlier study, whole, with one command",
    load: async () => (await import("./reproduce/reproduce.js")).reproduce,
  },
];
