/**
 * The keys of a hardware file: a GPU's service times with where they come from, how far they hold and how wrong they
 * are (docs/hardware.md). Made of the same nodes as a study's keys, so that reading, errors and JSON Schema are one.
 */
import type { Definition, OptionSpec } from "../core/options/definition.js";
import type { Registry } from "../core/configuration/registry.js";
import { group, option, schemaKey, spec, text, type GroupNode, type KeyNode } from "./keys.js";

/** The version of hardware files that this program writes, and the newest that it reads. */
export const HARDWARE_VERSION = 1;

/** What a file cannot do without. */
export const HARDWARE_NEEDS = [
  "version",
  "name",
  "gpu",
  "model",
  "source",
  "licence",
  "date",
  "service",
  "overheads",
];

/** The kinds of steps that errors are told for; docs/hardware.md defines them. */
export const REGIONS = [
  "decode",
  "prefill",
  "mixed",
  "smallBatch",
  "largeBatch",
  "smallKv",
  "largeKv",
] as const;

/** The options of a service-time model that stand in `overheads`: not the kernels', but the serving engine's. */
const OVERHEADS = ["hMs", "f"];

/** The service-time models of GPUs, without the overheads that every file tells apart. */
const gpus = (registry: Registry): Definition<unknown>[] =>
  registry.serviceTimes
    .filter(({ options }) => OVERHEADS.every((name) => options.some(({ key }) => key === name)))
    .map((model) => ({ ...model, options: model.options.filter(({ key }) => !OVERHEADS.includes(key)) }));

const number = (summary: string, more: Partial<OptionSpec> = {}): KeyNode =>
  option({ key: "", kind: "number", min: 0, max: 1e9, summary, ...more });
const integer = (summary: string, more: Partial<OptionSpec> = {}): KeyNode =>
  number(summary, { kind: "integer", ...more });
const limit = (summary: string): KeyNode => integer(summary, { min: 1, max: 2_147_483_647 });
const percent = (summary: string): KeyNode => number(summary, { unit: "%" });
const range = (summary: string): KeyNode => number(`${summary}: least and most`, { kind: "numbers" });

const region = (summary = "errors over the steps of a region"): KeyNode =>
  group(summary, {
    steps: integer("number of steps"),
    meanPct: percent("mean absolute error"),
    p95Pct: percent("95th percentile of the absolute error"),
    maxPct: percent("largest absolute error"),
  });

/** The keys of a hardware file. */
export function hardwareTree(registry: Registry): GroupNode {
  return group("a GPU's service times for llmsim", {
    ...schemaKey,
    version: integer("version of the format", { min: 1, max: HARDWARE_VERSION }),
    name: text("name of the hardware, as --hardware takes it"),
    summary: text("what it is, in a line"),
    gpu: text("the GPU, and how many"),
    model: text("the model that it serves, with its precision"),
    source: text("where the measurements come from"),
    licence: text("licence of the measurements"),
    date: text("when they were measured or published"),
    service: spec("service-time model", "how long an iteration takes", gpus(registry)),
    overheads: group("what kernels do not show, fitted on a measured run; --profile-only leaves it out", {
      h: number("host overhead of an iteration", { max: 1e6, unit: "ms" }),
      f: number("factor on KV time for unequal contexts in a batch", { min: 1, max: 100 }),
      fittedOn: text("the run that they were fitted on"),
    }),
    engine: group("what the server takes on this hardware, where nothing else says it", {
      maxTokens: limit("token budget of an iteration"),
      maxSequences: limit("sequence cap of a replica"),
    }),
    validity: group("what the fitted steps cover", {
      decodes: range("decoding sequences"),
      kvPerDecode: range("cached tokens of each"),
      prefillTokens: range("prompt tokens of the steps that have any"),
      batchTokens: range("tokens of a batch"),
      sumKv: range("cached tokens of the decoding sequences together"),
    }),
    fit: group("how well the service times agree with the steps, overheads left out", {
      form: text("the form fitted"),
      steps: integer("steps fitted"),
      meanPct: percent("mean absolute error"),
      heldOutPct: percent("mean absolute error of steps that the fit did not see"),
      maxPct: percent("largest absolute error"),
      maxAt: text("the step with the largest error"),
      regions: group(
        "errors by region",
        Object.fromEntries(REGIONS.map((name) => [name, region()] as const)),
      ),
      measured: region("errors over the measured iterations of a profile, where a design was fitted"),
    }),
    leavesOut: text("what the service times do not contain"),
  });
}
