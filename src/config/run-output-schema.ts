/**
 * The zod schema of the `--json` document, for those who read it with other programs; published as JSON Schema.
 * Metric names and what they mean are core's.
 */
import { CONVENTION_OPTIONS } from "../core/configuration/config.js";
import { METRICS } from "../core/measures/metrics.js";
import type { z } from "zod";
import { optionSchema, type Zod } from "./schema.js";

/** The parts that several schemas share. */
function partsOf(zod: Zod) {
  const value = zod.number().nullable();
  const summary = {
    mean: value.meta({ description: "mean over the trials that have a value" }),
    sd: value.meta({ description: "standard deviation over trials" }),
    ci95_low: value.meta({ description: "lower end of the 95 % Student-t interval of the mean" }),
    ci95_high: value.meta({ description: "upper end of the interval" }),
    n: zod.int().min(0).meta({ description: "trials that have a value" }),
  };
  const metrics = (each: z.ZodObject): z.ZodType =>
    zod.strictObject(
      Object.fromEntries(
        METRICS.map(({ name, summary: says, needs }) => {
          const one = each.meta({ description: says });
          return [name, needs ? one.optional() : one];
        }),
      ),
    );
  return { value, summary, metrics };
}
type Parts = ReturnType<typeof partsOf>;

/** What came of a scheduler. */
function resultSchema(zod: Zod, { value, summary, metrics }: Parts): z.ZodType {
  const values = zod.array(value).optional().meta({ description: "each trial's value, under --per-trial" });
  return zod.looseObject({
    scheduler: zod.string(),
    t_max_s: zod.number().optional().meta({ description: "time window" }),
    lambda_qps: zod.number().optional().meta({ description: "arrival rate" }),
    chunk_size: zod.int().nullable().optional().meta({ description: "chunk size, null without chunking" }),
    ratio: value.optional().meta({ description: "the decodes' share, where the scheduler has one" }),
    trials: zod.int().min(1).optional(),
    keeps_up: zod.boolean().optional().meta({
      description: "false: overload, so its times grow with T and have no verdict",
    }),
    metrics: metrics(zod.strictObject({ ...summary, values })),
    settings: zod
      .looseObject({})
      .optional()
      .meta({ description: "all settings of this result, by the keys of a configuration" }),
    drawn: zod
      .looseObject({})
      .optional()
      .meta({ description: "under --per-trial: what the requests were drawn from, for compare --baseline" }),
  });
}

/** A scheduler less another. */
function differenceSchema(zod: Zod, { value, summary, metrics }: Parts): z.ZodType {
  const verdict = zod.enum(["better", "worse", "not resolved"]);
  return zod.looseObject({
    scheduler: zod.string(),
    ratio: value.optional().meta({ description: "its decodes' share, where it has one" }),
    to: zod.string().meta({ description: "the scheduler that is subtracted" }),
    to_ratio: value.optional().meta({ description: "that one's decodes' share" }),
    metrics: metrics(zod.strictObject({ ...summary, verdict: verdict.nullable().optional() })),
    verdict: verdict.nullable(),
    trials_to_resolve: value.meta({ description: "about how many trials would tell the two apart" }),
  });
}

function precisionSchema(zod: Zod, { value }: Parts): z.ZodType {
  const share = value.meta({ description: "half-width of the 95 % interval over the mean" });
  const forecast = zod
    .int()
    .min(0)
    .nullable()
    .meta({ description: "about how many trials in all meet the target, by those so far" });
  return zod
    .strictObject({
      metric: zod.string().meta({ description: "one of the metrics, or any percentile of a time" }),
      target: zod.number().gt(0).lt(1).meta({ description: "relative error asked for" }),
      stops_at: zod
        .number()
        .meta({ description: "relative half-width that ensures it: target/(1 + target)" }),
      met: zod.boolean().meta({ description: "every scheduler reached it" }),
      reached: share.meta({ description: "relative half-width reached by the widest; null: it has none" }),
      widest: zod.string().meta({ description: "the scheduler whose interval is the widest" }),
      trials: zod.int().min(1),
      pilot: zod.int().min(1).meta({ description: "trials before the first look" }),
      max_trials: zod.int().min(1),
      forecast: forecast.meta({ description: "trials in all that the pilot forecast" }),
      looks: zod
        .array(zod.strictObject({ trials: zod.int().min(1), reached: share, forecast }))
        .min(1)
        .meta({ description: "every look at the trials: their number, the widest, the forecast" }),
    })
    .meta({ description: "under --precision: what was asked for and what it took" });
}

function assertionSchema(zod: Zod, { value, summary }: Parts): z.ZodType {
  return zod
    .strictObject({
      assertion: zod.string().meta({ description: "the condition" }),
      metric: zod.string().meta({ description: "one of the metrics, or any percentile of a time" }),
      relation: zod.enum(["<", "<=", ">", ">="]),
      limit: zod.number().meta({ description: "in the metric's unit" }),
      scheduler: zod.string().meta({ description: "the scheduler it is judged for" }),
      verdict: zod.enum(["pass", "fail", "undecided"]).meta({ description: "by the interval" }),
      ...summary,
      share_beyond: value
        .optional()
        .meta({ description: "of a percentile: the share of all requests, or gaps, beyond the limit" }),
      share_beyond_ci95_low: value.optional(),
      share_beyond_ci95_high: value.optional(),
      share_allowed: zod
        .number()
        .optional()
        .meta({ description: "of a percentile: the share that may lie beyond its limit" }),
      values: zod.number().optional().meta({ description: "of a percentile: requests, or gaps, in all" }),
      trials_to_decide: value.meta({ description: "about how many trials would decide it" }),
    })
    .meta({ description: "under --assert: each condition for each scheduler" });
}

/** The schema of what `llmsim run --json` prints. null stands where there is no value. */
export function runOutputSchema(zod: Zod): z.ZodType {
  const parts = partsOf(zod);
  const assertion = assertionSchema(zod, parts);
  return zod
    .looseObject({
      command: zod.string(),
      scenario: zod.string().meta({ description: "the scenario's name as it was given" }),
      hardware: zod
        .string()
        .optional()
        .meta({ description: "the hardware's name or file, where one was given" }),
      vllm: zod
        .looseObject({
          told: zod.looseObject({}),
          untold: zod.array(zod.looseObject({ key: zod.string(), from: zod.string() })),
          ignored: zod.array(zod.string()),
        })
        .optional()
        .meta({
          description: "a server's settings by --vllm-log and --vllm-args: what they say and do not say",
        }),
      plugins: zod
        .array(
          zod.looseObject({ file: zod.string(), sha256: zod.string(), schedulers: zod.array(zod.string()) }),
        )
        .optional()
        .meta({ description: "files of the user's own with schedulers, as given" }),
      seed: zod.int().min(0),
      trials: zod.int().min(1),
      conventions: zod.strictObject(
        Object.fromEntries(CONVENTION_OPTIONS.map((option) => [option.key, optionSchema(zod, option)])),
      ),
      precision: precisionSchema(zod, parts).optional(),
      results: zod.array(resultSchema(zod, parts)),
      differences: zod.array(differenceSchema(zod, parts)).optional(),
      targets: zod.array(assertion).optional().meta({ description: "under --slo: what it asks of the run" }),
      assertions: zod.array(assertion).optional(),
    })
    .meta({ description: "what llmsim run --json prints" });
}
