/** A fit as its reader gets it: tables, notes and the figure. */
import { agreement } from "../../charts/index.js";
import type { Spec } from "../../core/options/definition.js";
import type { Table } from "../interface/report.js";
import type { Choice } from "./choose.js";
import { OVERHEADS, type Provenance } from "./document.js";
import { errorsByRegion, type ErrorSummary, kindOf, pricesOf } from "./errors.js";
import type { Fit, Judged } from "./fit.js";
import type { Profile } from "./profile.js";
import { flagsOf } from "./range.js";
import { type Range, stepName, stepsIn } from "./steps.js";

const percent = (value: number): string => `${value.toFixed(value < 9.95 ? 1 : 0)} %`;

/** The sentence that answers. */
export function answerOf(name: string, { form, heldOut, fitted: { steps, total }, measured }: Fit): string {
  const over = measured ? ` over ${steps.length} iterations of a busy engine` : "";
  const beside = measured
    ? `, ${percent(measured.total.meanPct)} over the ${measured.steps.length} that were measured`
    : "";
  return `${form} fits ${name} within ${percent(total.meanPct)} on average${over}, ${percent(100 * heldOut)} held out${beside}; largest error ${percent(total.maxPct)} at ${stepName(total.worst)}`;
}

/** Errors by region, for `--json`. */
export const rowsOf = ({ steps, errors, total }: Judged): object[] => [
  { region: "all", ...total },
  ...errorsByRegion(steps, errors).map(({ region, errors: found }) => ({ region: region.key, ...found })),
];

function regionTable(title: string, { steps, errors, total }: Judged): Table {
  const row = (name: string, found: ErrorSummary): string[] => [
    name,
    String(found.steps),
    percent(found.meanPct),
    `${found.biasPct.toFixed(1)} %`,
    percent(found.p95Pct),
    percent(found.maxPct),
  ];
  return {
    title,
    columns: ["steps", "n", "mean", "bias", "p95", "max"],
    rows: [
      row("all", total),
      ...errorsByRegion(steps, errors).map(({ region, errors: found }) => row(region.title, found)),
    ],
  };
}

const formTable = ({ candidates, chosen }: Choice): Table => ({
  title: "forms, by their error on lines of the grid held out",
  columns: ["form", "coefficients", "held out", "± SE", ""],
  rows: candidates.map((one) => [
    one.form.name,
    String(one.form.terms.length + 1),
    `${(100 * one.heldOut).toFixed(2)} %`,
    (100 * one.standardError).toFixed(2),
    one === chosen ? "chosen" : "",
  ]),
});

const coefficientTable = (service: Spec): Table => ({
  title: "service times",
  columns: ["cMs", "a1Ms", "aMs", "b0", "kMs", "kmMs"],
  rows: [["cMs", "a1Ms", "aMs", "b0", "kMs", "kmMs"].map((key) => String(service[key]))],
});

/** The tables of the terminal. */
export function tablesOf({ fitted, measured, choice, service }: Fit): Table[] {
  const bias = "(bias above 0: too slow)";
  return [
    regionTable(
      measured
        ? `error over the iterations fitted, priced by the table model ${bias}`
        : `error of the fit by region ${bias}`,
      fitted,
    ),
    ...(measured ? [regionTable(`error over the iterations measured ${bias}`, measured)] : []),
    ...(choice ? [formTable(choice), coefficientTable(service)] : []),
  ];
}

/** What a reader should know of the fit. */
export function notesOn(profile: Profile, range: Range, { choice, form }: Fit): string[] {
  const left = profile.steps.length - stepsIn(profile.steps, range).length;
  return [
    ...(left > 0 ? [`${left} steps outside the range are left out (${flagsOf(range)})`] : []),
    ...(choice?.omitted ?? []).map(({ form: other, reason }) => `${other.name} is not fitted: ${reason}`),
    form === "table"
      ? "held out: steps between the points of a table with every second value of each axis"
      : "the simplest form within one standard error of the best one held out is taken",
    `overheads h ${OVERHEADS.h} ms and f ${OVERHEADS.f} are those of the ${OVERHEADS.fittedOn}; --profile-only leaves them out`,
  ];
}

const KINDS = ["decode", "prefill", "mixed"];

/** The fit against what was measured. */
export function fitFigure({ name, gpu, model }: Provenance, fit: Fit): object {
  const { form, service, heldOut, fitted, measured } = fit;
  const shown = measured ?? fitted;
  const prices = pricesOf(service, shown.steps);
  const mean = percent(shown.total.meanPct);
  return agreement({
    title: `${name}: fitted against measured`,
    subtitle: [
      `${model} on ${gpu}`,
      measured
        ? `${form}, ${shown.steps.length} measured iterations, mean absolute error ${mean} (${percent(fitted.total.meanPct)} over the ${fitted.steps.length} fitted)`
        : `${form}, ${shown.steps.length} steps, mean absolute error ${mean}, held out ${percent(100 * heldOut)}`,
    ],
    points: shown.steps
      .map((step, i) => ({ kind: kindOf(step), measured: step.ms, fitted: prices[i], size: step.tokens }))
      // The same kind looks the same in every figure.
      .sort((x, y) => KINDS.indexOf(x.kind) - KINDS.indexOf(y.kind)),
    quantity: "iteration time (ms)",
    kinds: "iteration",
    size: "batch tokens b",
  });
}
