/**
 * The forms among which calibration chooses, each nested in the next, and the fit of one:
 *
 *   S3  c + a·max(0, b − b0)                      S4  S3 + k·ΣKV
 *   S5  S4 + a1·min(b, b0)                        S6  S5 + km·[the batch holds prefill]·ΣKV
 *
 * For a given knee b0 a form is linear, so its coefficients are one relative least squares, and b0, a whole number of
 * tokens, is searched.
 */
import type { Spec } from "../../core/options/definition.js";
import { leastAt, relativeLeastSquares } from "../../stats/index.js";
import type { Step } from "./steps.js";

/** A coefficient of the `gpu` model and what it multiplies. */
interface Term {
  readonly key: "cMs" | "aMs" | "kMs" | "a1Ms" | "kmMs";
  readonly of: (step: Step, b0: number) => number;
}

const c: Term = { key: "cMs", of: () => 1 };
const a: Term = { key: "aMs", of: ({ tokens }, b0) => Math.max(0, tokens - b0) };
const k: Term = { key: "kMs", of: ({ sumKv }) => sumKv };
const a1: Term = { key: "a1Ms", of: ({ tokens }, b0) => Math.min(tokens, b0) };
const km: Term = { key: "kmMs", of: ({ sumKv, prefillTokens }) => (prefillTokens > 0 ? sumKv : 0) };

export interface Form {
  readonly name: string;
  readonly terms: readonly Term[];
}

/** From the simplest. */
export const FORMS: readonly Form[] = [
  { name: "S3", terms: [c, a] },
  { name: "S4", terms: [c, a, k] },
  { name: "S5", terms: [c, a, k, a1] },
  { name: "S6", terms: [c, a, k, a1, km] },
];

/** Steps a coefficient (b0 is one too): fewer follow the noise of single measurements. */
const STEPS_PER_COEFFICIENT = 4;

/** Why a form cannot be fitted to these steps, in words; undefined when it can. */
export function lacking({ terms }: Form, steps: readonly Step[]): string | undefined {
  const needed = STEPS_PER_COEFFICIENT * (terms.length + 1);
  if (steps.length < needed) return `${steps.length} steps (at least ${needed})`;
  const sizes = new Set(steps.map(({ tokens }) => tokens)).size;
  if (sizes < 4) return `${sizes} batch sizes (at least 4)`;
  const levels = (chosen: readonly Step[]): number => new Set(chosen.map(({ sumKv }) => sumKv)).size;
  const withKv = steps.filter(({ sumKv }) => sumKv > 0);
  if (terms.includes(k) && levels(withKv) < 3)
    return `${levels(withKv)} values of sum_kv above 0 (at least 3)`;
  const mixed = withKv.filter(({ prefillTokens }) => prefillTokens > 0);
  if (terms.includes(km) && (levels(mixed) < 3 || mixed.length === withKv.length))
    return `${levels(mixed)} values of sum_kv in mixed steps, ${withKv.length - mixed.length} steps of decodes alone (at least 3, and 1)`;
  return undefined;
}

/** Six digits: what a fit of measured times can bear, and what a reader can. */
const rounded = (value: number): number => Number(value.toPrecision(6));

/** The `gpu` model that agrees best with the steps, without overheads. */
export function fitForm({ terms }: Form, steps: readonly Step[]): Spec {
  const observed = steps.map(({ ms }) => ms);
  const fit = (b0: number): ReturnType<typeof relativeLeastSquares> =>
    relativeLeastSquares(
      terms.map(({ of }) => steps.map((step) => of(step, b0))),
      observed,
    );
  const largest = steps.reduce((most, { tokens }) => Math.max(most, tokens), 0);
  const b0 = leastAt((knee) => fit(knee).meanSquare, 0, largest);
  const { coefficients } = fit(b0);
  const found = Object.fromEntries(terms.map(({ key }, i) => [key, rounded(coefficients[i])]));
  return { kind: "gpu", cMs: 0, a1Ms: 0, aMs: 0, b0, kMs: 0, kmMs: 0, ...found };
}
