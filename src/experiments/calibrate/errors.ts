/** How far a service-time model is from the steps: relative errors, priced by the engine's own model, by region. */
import { withDefaults } from "../../core/options/check-options.js";
import type { Spec } from "../../core/options/definition.js";
import { builtIn, member } from "../../core/configuration/registry.js";
import { toMilliseconds } from "../../core/numbers/units.js";
import { quantileSorted } from "../../stats/index.js";
import { shapeOf, type Step } from "./steps.js";

/** Prices of the steps in ms, overheads left out. */
export function pricesOf(service: Spec, steps: readonly Step[]): number[] {
  const definition = member(builtIn.serviceTimes, service.kind);
  const model = definition.create(withDefaults(definition.options, { ...service, hMs: 0, f: 1 }));
  return steps.map((step) => toMilliseconds(model.price(shapeOf(step), 1)));
}

/** Relative errors: 0.01 is 1 % too long. */
export const errorsOf = (service: Spec, steps: readonly Step[]): number[] =>
  pricesOf(service, steps).map((ms, i) => ms / steps[i].ms - 1);

/** A batch that a full set of vLLM's sequences decodes in, and contexts that 64 sequences of 1024 tokens fill. */
const SMALL_TOKENS = 256;
const SMALL_KV = 65_536;

export interface Region {
  readonly key: "decode" | "prefill" | "mixed" | "smallBatch" | "largeBatch" | "smallKv" | "largeKv";
  readonly title: string;
  readonly holds: (step: Step) => boolean;
}

/** What kind of iteration a step is: each is one of the three. */
export const kindOf = ({ decodes, prefillTokens }: Step): "decode" | "prefill" | "mixed" =>
  prefillTokens === 0 ? "decode" : decodes === 0 ? "prefill" : "mixed";

export const REGIONS: readonly Region[] = [
  { key: "decode", title: "decode", holds: (step) => kindOf(step) === "decode" },
  { key: "prefill", title: "prefill", holds: (step) => kindOf(step) === "prefill" },
  { key: "mixed", title: "mixed", holds: (step) => kindOf(step) === "mixed" },
  { key: "smallBatch", title: `b ≤ ${SMALL_TOKENS}`, holds: ({ tokens }) => tokens <= SMALL_TOKENS },
  { key: "largeBatch", title: `b > ${SMALL_TOKENS}`, holds: ({ tokens }) => tokens > SMALL_TOKENS },
  { key: "smallKv", title: `ΣKV ≤ ${SMALL_KV}`, holds: ({ sumKv }) => sumKv <= SMALL_KV },
  { key: "largeKv", title: `ΣKV > ${SMALL_KV}`, holds: ({ sumKv }) => sumKv > SMALL_KV },
];

/** Errors over some steps, in per cent. */
export interface ErrorSummary {
  readonly steps: number;
  /** Mean absolute error. */
  readonly meanPct: number;
  /** Mean error with its sign: above 0 the model is too slow. */
  readonly biasPct: number;
  readonly p95Pct: number;
  readonly maxPct: number;
  /** The step with the largest absolute error. */
  readonly worst: Step;
}

/** Summarizes at least one step's error. */
export function summarizeErrors(steps: readonly Step[], errors: readonly number[]): ErrorSummary {
  const sizes = errors.map((error) => 100 * Math.abs(error));
  let worst = 0;
  sizes.forEach((size, i) => {
    if (size > sizes[worst]) worst = i;
  });
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    steps: steps.length,
    meanPct: mean(sizes),
    biasPct: 100 * mean(errors),
    p95Pct: quantileSorted(
      [...sizes].sort((x, y) => x - y),
      0.95,
    ),
    maxPct: sizes[worst],
    worst: steps[worst],
  };
}

/** The regions that hold a step, with their errors. */
export function errorsByRegion(
  steps: readonly Step[],
  errors: readonly number[],
): { readonly region: Region; readonly errors: ErrorSummary }[] {
  return REGIONS.flatMap((region) => {
    const inside = steps.flatMap((step, i) => (region.holds(step) ? [i] : []));
    if (inside.length === 0) return [];
    return [
      {
        region,
        errors: summarizeErrors(
          inside.map((i) => steps[i]),
          inside.map((i) => errors[i]),
        ),
      },
    ];
  });
}
