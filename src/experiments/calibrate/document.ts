/** The hardware file that a calibration writes: src/config/hardware-keys.ts is its schema, docs/hardware.md its page. */
import { type ErrorSummary, errorsByRegion } from "./errors.js";
import type { Fit } from "./fit.js";
import { stepName, type Step } from "./steps.js";

/** Where a profile comes from, as the user tells it. */
export interface Provenance {
  readonly name: string;
  readonly summary: string;
  readonly gpu: string;
  readonly model: string;
  readonly source: string;
  readonly licence: string;
  readonly date: string;
  readonly leavesOut: string;
  /** Budget and cap that the server takes on this hardware, where the user tells them. */
  readonly engine?: { readonly maxTokens: number; readonly maxSequences: number };
}

/**
 * What kernels do not show: host overhead of an iteration in ms, and the factor on KV time for unequal contexts. Fitted
 * on the one measured run that the project has, a vLLM 0.19 server; for other hardware they are the best guess there is.
 */
export const OVERHEADS = { h: 0.5, f: 1.05, fittedOn: "rtxpro6000_llama-3.1-8b measured run" } as const;

const percent = (value: number): number => Number(value.toFixed(2));

const rangeOf = (steps: readonly Step[], value: (step: Step) => number): readonly [number, number] =>
  steps.reduce(
    ([least, most], step) => [Math.min(least, value(step)), Math.max(most, value(step))] as const,
    [Infinity, -Infinity] as readonly [number, number],
  );

const summary = ({ steps, meanPct, p95Pct, maxPct }: ErrorSummary): object => ({
  steps,
  meanPct: percent(meanPct),
  p95Pct: percent(p95Pct),
  maxPct: percent(maxPct),
});

/** The text of the file. */
export function hardwareDocument(
  { name, summary: line, gpu, model, source, licence, date, leavesOut, engine }: Provenance,
  { form, service, fitted: { steps, errors, total }, measured, heldOut }: Fit,
): string {
  const decoding = steps.filter(({ decodes }) => decodes > 0);
  const prefilling = steps.filter(({ prefillTokens }) => prefillTokens > 0);
  const regions = errorsByRegion(steps, errors).map(({ region, errors: found }) => [
    region.key,
    summary(found),
  ]);
  const document = {
    version: 1,
    name,
    summary: line,
    gpu,
    model,
    source,
    licence,
    date,
    service,
    overheads: OVERHEADS,
    ...(engine && { engine }),
    validity: {
      ...(decoding.length > 0 && {
        decodes: rangeOf(decoding, ({ decodes }) => decodes),
        kvPerDecode: rangeOf(decoding, ({ kvPerDecode }) => kvPerDecode),
      }),
      ...(prefilling.length > 0 && { prefillTokens: rangeOf(prefilling, (step) => step.prefillTokens) }),
      batchTokens: rangeOf(steps, ({ tokens }) => tokens),
      sumKv: rangeOf(steps, ({ sumKv }) => sumKv),
    },
    fit: {
      form,
      steps: steps.length,
      meanPct: percent(total.meanPct),
      heldOutPct: percent(100 * heldOut),
      maxPct: percent(total.maxPct),
      maxAt: stepName(total.worst),
      regions: Object.fromEntries(regions) as object,
      ...(measured && { measured: summary(measured.total) }),
    },
    leavesOut,
  };
  // A list of numbers on one line: tables are read by programs, ranges by people.
  const text = JSON.stringify(document, null, 2).replace(/\[[^[\]{}"]*\]/g, (list) =>
    list.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]"),
  );
  return `${text}\n`;
}
