/**
 * Which form to take: by the error on steps that the fit did not see.
 *
 * Steps lie on a grid, and a step's neighbours along the context length give it away, so whole lines of the grid (one
 * number of decodes, one number of prompt tokens) are held out together (Roberts et al., Ecography 40, 2017, on
 * cross-validation in blocks), in ten folds that a hash of the line's number deals out. The simplest form whose error
 * is within one standard error of the best one's is taken (Breiman et al., Classification and Regression Trees, 1984,
 * §3.4.3): a term that does not pay is left out.
 */
import type { Spec } from "../../core/options/definition.js";
import { ConfigError } from "../../core/errors.js";
import { errorsOf } from "./errors.js";
import { fitForm, FORMS, lacking, type Form } from "./forms.js";
import type { Step } from "./steps.js";

const FOLDS = 10;
/** Lines of the grid that there must be: fewer would leave folds without steps. */
const LEAST_LINES = 5;
/** 2³² divided by the golden ratio: multiples of it are spread evenly (Knuth, TAOCP 3, §6.4). */
const GOLDEN = 0x9e3779b1;

/** A form with its fit and what it is worth. */
export interface Candidate {
  readonly form: Form;
  readonly service: Spec;
  /** Mean absolute relative error of the steps while they were held out. */
  readonly heldOut: number;
  /** Standard error of that mean over the folds. */
  readonly standardError: number;
}

/** The fold of each step, from 0. */
export function foldsOf(steps: readonly Step[]): {
  readonly fold: readonly number[];
  readonly count: number;
} {
  const lines = new Map<string, number>();
  for (const { decodes, prefillTokens } of steps) {
    const line = `${decodes} ${prefillTokens}`;
    if (!lines.has(line)) lines.set(line, lines.size);
  }
  if (lines.size < LEAST_LINES)
    throw new ConfigError([
      {
        key: "profile",
        message: `too few steps to fit: ${lines.size} pairs of n_decode and prefill_tokens (at least ${LEAST_LINES}, to hold some out)`,
      },
    ]);
  const count = Math.min(FOLDS, lines.size);
  const place = (line: number): number => (Math.imul(line + 1, GOLDEN) >>> 0) % 0x10000;
  // Dealt out in the order of the hash, so that folds differ by one line at most.
  const order = [...lines.values()].sort((x, y) => place(x) - place(y) || x - y);
  const foldOfLine = new Map(order.map((line, i) => [line, i % count]));
  const fold = steps.map(({ decodes, prefillTokens }) =>
    foldOfLine.get(lines.get(`${decodes} ${prefillTokens}`)!)!,
  );
  return { fold, count };
}

/** Fits a form with each fold held out in turn. */
function candidate(form: Form, steps: readonly Step[]): Candidate {
  const { fold, count } = foldsOf(steps);
  const means: number[] = [];
  let sum = 0;
  for (let held = 0; held < count; held++) {
    const seen = steps.filter((_, i) => fold[i] !== held);
    const unseen = steps.filter((_, i) => fold[i] === held);
    const total = errorsOf(fitForm(form, seen), unseen).reduce((all, error) => all + Math.abs(error), 0);
    sum += total;
    means.push(total / unseen.length);
  }
  const mean = means.reduce((all, value) => all + value, 0) / count;
  const square = means.reduce((all, value) => all + (value - mean) * (value - mean), 0);
  return {
    form,
    service: fitForm(form, steps),
    heldOut: sum / steps.length,
    standardError: Math.sqrt(square / (count - 1) / count),
  };
}

export interface Choice {
  readonly chosen: Candidate;
  readonly candidates: readonly Candidate[];
  /** Forms that the steps cannot carry, with the reason. */
  readonly omitted: readonly { readonly form: Form; readonly reason: string }[];
}

/**
 * Fits the forms that the steps can carry and takes one.
 * @throws ConfigError when they can carry none
 */
export function chooseForm(steps: readonly Step[], forms: readonly Form[] = FORMS): Choice {
  const judged = forms.map((form) => ({ form, reason: lacking(form, steps) }));
  const omitted = judged.flatMap(({ form, reason }) => (reason === undefined ? [] : [{ form, reason }]));
  if (omitted.length === forms.length)
    throw new ConfigError([
      { key: "profile", message: `too few steps to fit ${omitted[0].form.name}: ${omitted[0].reason}` },
    ]);
  const candidates = judged.flatMap(({ form, reason }) =>
    reason === undefined ? [candidate(form, steps)] : [],
  );
  const best = candidates.reduce((least, one) => (one.heldOut < least.heldOut ? one : least));
  const chosen = candidates.find(({ heldOut }) => heldOut <= best.heldOut + best.standardError)!;
  return { chosen, candidates, omitted };
}
