/**
 * One fit of a profile with what it is worth: forms to the steps of a step-time CSV or to the design of a kernel
 * profile, or the kernels themselves as a table.
 */
import type { Spec } from "../../core/options/definition.js";
import { chooseForm, type Choice } from "./choose.js";
import { designOf } from "./design.js";
import { errorsOf, type ErrorSummary, summarizeErrors } from "./errors.js";
import type { Form } from "./forms.js";
import { type Kernels, OPERATING_RANGE } from "./kernels.js";
import type { Profile } from "./profile.js";
import { type Range, type Step, stepsIn } from "./steps.js";
import { coarser, tableOf } from "./tables.js";

/** Steps with the relative errors of their prices. */
export interface Judged {
  readonly steps: readonly Step[];
  readonly errors: readonly number[];
  readonly total: ErrorSummary;
}

export interface Fit {
  readonly form: string;
  readonly service: Spec;
  /** Mean absolute relative error held out. */
  readonly heldOut: number;
  readonly choice?: Choice;
  /** What was fitted. */
  readonly fitted: Judged;
  /** Where that is a design: the measured iterations of the profile. */
  readonly measured?: Judged;
}

const judge = (service: Spec, steps: readonly Step[]): Judged => {
  const errors = errorsOf(service, steps);
  return { steps, errors, total: summarizeErrors(steps, errors) };
};

/** The best of the forms. @param chunkStep of the design, for kernel profiles */
export function fitForms(
  { steps, kernels }: Profile,
  range: Range,
  forms: readonly Form[],
  chunkStep: number,
): Fit {
  const measured = stepsIn(steps, range);
  const fitted = kernels ? designOf(tableOf(kernels), { ...OPERATING_RANGE, ...range }, chunkStep) : measured;
  const choice = chooseForm(fitted, forms);
  const { form, service, heldOut } = choice.chosen;
  return {
    form: form.name,
    service,
    heldOut,
    choice,
    fitted: judge(service, fitted),
    ...(kernels && measured.length > 0 && { measured: judge(service, measured) }),
  };
}

/** The kernels as a table; held out: the steps between the points of one thinned by half. */
export function fitTable(kernels: Kernels, steps: readonly Step[]): Fit {
  const service = tableOf(kernels);
  // Each step that every second value of the grid leaves out is between two that it keeps.
  const sparse = tableOf(coarser(kernels));
  const has = (key: string, value: number): boolean => (sparse[key] as readonly number[]).includes(value);
  const unseen = steps.filter(
    ({ decodes, kvPerDecode, prefillTokens }) =>
      (decodes > 0 && !(has("decodes", decodes) && has("decodeKv", kvPerDecode))) ||
      (prefillTokens > 0 && !has("chunks", prefillTokens)),
  );
  const errors = errorsOf(sparse, unseen);
  const heldOut = errors.reduce((sum, error) => sum + Math.abs(error), 0) / errors.length;
  return { form: "table", service, heldOut, fitted: judge(service, steps) };
}
