/** `calibrate`: service times of a GPU from measured steps or kernels, as a hardware file with its errors in it. */
import { agreement } from "../charts/index.js";
import type { Spec } from "../core/definition.js";
import { ConfigError } from "../core/errors.js";
import { chooseForm, type Choice } from "./calibration/choose.js";
import { hardwareDocument, OVERHEADS, type Provenance } from "./calibration/document.js";
import { errorsByRegion, errorsOf, kindOf, pricesOf, summarizeErrors } from "./calibration/errors.js";
import { FORMS, type Form } from "./calibration/forms.js";
import type { Kernels } from "./calibration/kernels.js";
import { OF_FOLDER, type Profile, readProfile } from "./calibration/profile.js";
import { type Range, stepName, stepsIn, type Step } from "./calibration/steps.js";
import { coarser, tableOf } from "./calibration/tables.js";
import type { Experiment, ExperimentContext, ExperimentOption, Report, Table } from "./experiment.js";

type Options = ExperimentContext["options"];

/** A fit with what it was chosen from. */
interface Fit {
  readonly form: string;
  readonly service: Spec;
  readonly heldOut: number;
  readonly choice?: Choice;
}

function formsFrom(text: string): Form[] {
  const names = text.split(",").map((name) => name.trim().toUpperCase());
  const unknown = names.filter((name) => !FORMS.some((form) => form.name === name));
  if (unknown.length > 0)
    throw new ConfigError([
      {
        key: "--forms",
        message: `unknown form: ${unknown.join(", ")} (one or more of: ${FORMS.map(({ name }) => name).join(", ")})`,
      },
    ]);
  return FORMS.filter(({ name }) => names.includes(name));
}

/** The range that is fitted: the profile's own, narrowed or widened by flags. */
function rangeFrom(options: Options, own: Range): Range {
  const given = Object.fromEntries(
    RANGE_OPTIONS.flatMap(({ key }) => (typeof options[key] === "number" ? [[key, options[key]]] : [])),
  );
  return { ...own, ...given };
}

function fitTable(kernels: Kernels, steps: readonly Step[]): Fit {
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
  return { form: "table", service, heldOut };
}

function fitForms(options: Options, steps: readonly Step[]): Fit {
  const choice = chooseForm(steps, formsFrom(String(options.forms)));
  const { form, service, heldOut } = choice.chosen;
  return { form: form.name, service, heldOut, choice };
}

function provenanceFrom(options: Options, { meta, name }: Profile, files: readonly string[]): Provenance {
  const said = (key: string, otherwise: string): string => {
    const value = options[key];
    return typeof value === "string" && value !== "" ? value : otherwise;
  };
  const known = (key: string): string =>
    typeof meta[key] === "string" && meta[key] !== "" ? meta[key] : "not stated";
  const chosen = said("name", name);
  if (!/^[a-z0-9][\w.-]*$/i.test(chosen))
    throw new ConfigError([
      {
        key: "--name",
        message: `invalid --name: ${chosen} (letters, digits, _ . and -, a letter or digit first)`,
      },
    ]);
  const gpu = said("gpu", known("gpu"));
  const model = said("model", known("model"));
  return {
    name: chosen,
    summary: said("summary", `${model} on ${gpu}`),
    gpu,
    model,
    source: said("source", `llmsim calibrate ${files.join(" ")}`),
    licence: said("licence", "not stated"),
    date: said("date", known("profiled_at").replace(/T.*$/, "")),
    leavesOut: said("leavesOut", "not stated"),
  };
}

const percent = (value: number): string => `${value.toFixed(value < 9.95 ? 1 : 0)} %`;

function reportOn({ inputs = [], options }: ExperimentContext): Report {
  const profile = readProfile(inputs, options.layers as number | null);
  const provenance = provenanceFrom(
    options,
    profile,
    inputs.map(({ file }) => file),
  );
  const range = rangeFrom(options, profile.range);
  const steps = stepsIn(profile.steps, range);
  const isTable = options.table === true;
  if (isTable && !profile.kernels)
    throw new ConfigError([
      {
        key: "--table",
        message: "--table: needs a kernel profile (dense.csv, per_sequence.csv, attention.csv)",
      },
    ]);
  const fit = isTable ? fitTable(profile.kernels!, steps) : fitForms(options, steps);
  const { form, service, heldOut, choice } = fit;
  const errors = errorsOf(service, steps);
  const total = summarizeErrors(steps, errors);
  const { name } = provenance;
  const fitted = { form, service, steps, errors, total, heldOut };
  const answer = `${form} fits ${name} within ${percent(total.meanPct)} on average, ${percent(100 * heldOut)} held out; largest error ${percent(total.maxPct)} at ${stepName(total.worst)}`;
  return {
    answer: [answer],
    tables: [regionTable(steps, errors), ...(choice ? [formTable(choice), coefficientTable(service)] : [])],
    notes: notesOn(profile, range, steps, fit),
    csv: [],
    texts: [{ path: `${name}.json`, text: hardwareDocument(provenance, fitted) }],
    figures: [{ path: `${name}_fit.png`, spec: fitFigure(provenance, fit, steps, total.meanPct) }],
    json: {
      name,
      form,
      service: isTable ? { kind: service.kind } : service,
      overheads: OVERHEADS,
      held_out_pct: 100 * heldOut,
      results: [{ region: "all", ...total }, ...rowsOf(steps, errors)],
      forms: (choice?.candidates ?? []).map((one) => ({
        form: one.form.name,
        held_out_pct: 100 * one.heldOut,
        standard_error_pct: 100 * one.standardError,
      })),
    },
    passed: true,
    next: [`llmsim run --hardware data/${name}.json --lam 2`],
  };
}

const rowsOf = (steps: readonly Step[], errors: readonly number[]): object[] =>
  errorsByRegion(steps, errors).map(({ region, errors: found }) => ({ region: region.key, ...found }));

function regionTable(steps: readonly Step[], errors: readonly number[]): Table {
  const rows = [
    { title: "all", errors: summarizeErrors(steps, errors) },
    ...errorsByRegion(steps, errors).map(({ region, errors: found }) => ({
      title: region.title,
      errors: found,
    })),
  ];
  return {
    title: "error of the fit by region (bias above 0: too slow)",
    columns: ["steps", "n", "mean", "bias", "p95", "max"],
    rows: rows.map(({ title, errors: { steps: n, meanPct, biasPct, p95Pct, maxPct } }) => [
      title,
      String(n),
      percent(meanPct),
      `${biasPct.toFixed(1)} %`,
      percent(p95Pct),
      percent(maxPct),
    ]),
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

function notesOn(profile: Profile, range: Range, steps: readonly Step[], { choice, form }: Fit): string[] {
  const left = profile.steps.length - steps.length;
  const limits = RANGE_OPTIONS.flatMap(({ key, flag }) => {
    const limit = range[key as keyof Range];
    return limit === undefined ? [] : [`${flag.split(" ")[0]} ${limit}`];
  });
  return [
    ...(left > 0 ? [`${left} steps outside the range are left out (${limits.join(" ")})`] : []),
    ...(choice?.omitted ?? []).map(({ form: other, reason }) => `${other.name} is not fitted: ${reason}`),
    form === "table"
      ? "held out: steps between the points of a table with every second value of each axis"
      : "the simplest form within one standard error of the best one held out is taken",
    `overheads h ${OVERHEADS.h} ms and f ${OVERHEADS.f} are those of the ${OVERHEADS.fittedOn}; --profile-only leaves them out`,
  ];
}

const KINDS = ["decode", "prefill", "mixed"];

function fitFigure(
  { name, gpu, model }: Provenance,
  { form, service, heldOut }: Fit,
  steps: readonly Step[],
  mean: number,
): object {
  const prices = pricesOf(service, steps);
  return agreement({
    title: `${name}: fitted against measured`,
    subtitle: [
      `${model} on ${gpu}`,
      `${form}, ${steps.length} steps, mean absolute error ${percent(mean)}, held out ${percent(100 * heldOut)}`,
    ],
    points: steps
      .map((step, i) => ({
        kind: kindOf(step),
        measured: step.ms,
        fitted: prices[i],
        size: step.tokens,
      }))
      // The same kind looks the same in every figure.
      .sort((x, y) => KINDS.indexOf(x.kind) - KINDS.indexOf(y.kind)),
    quantity: "iteration time (ms)",
    kinds: "iteration",
    size: "batch tokens b",
  });
}

const limit = (key: keyof Range, flag: string, summary: string): ExperimentOption => ({
  key,
  flag: `${flag} <n>`,
  kind: "integer",
  min: 0,
  max: 1_000_000_000,
  summary,
});
const RANGE_OPTIONS: readonly ExperimentOption[] = [
  limit("leastKv", "--min-kv", "fit decodes with at least n cached tokens each"),
  limit("mostKv", "--max-kv", "… with at most n"),
  limit("leastChunk", "--min-chunk", "fit steps with at least n prompt tokens, if any"),
  limit("mostTokens", "--max-batch", "fit batches of at most n tokens"),
  limit("mostSumKv", "--max-sum-kv", "fit steps with at most n cached tokens in all"),
];

const text = (key: string, flag: string, summary: string): ExperimentOption => ({
  key,
  flag: `${flag} <text>`,
  kind: "text",
  summary,
});

export const calibrate: Experiment = {
  name: "calibrate",
  question: "What are the service times of my GPU?",
  options: [
    text("name", "--name", "name of the hardware (default: that of the file or folder)"),
    {
      key: "layers",
      flag: "--layers <n>",
      kind: "integer",
      min: 1,
      max: 10_000,
      summary: "transformer layers of the model (kernel profiles)",
    },
    { ...text("forms", "--forms", "forms to choose from"), default: FORMS.map(({ name }) => name).join(",") },
    { key: "table", flag: "--table", kind: "flag", summary: "the measured kernels as a table, no form" },
    ...RANGE_OPTIONS,
    text("gpu", "--gpu", "the GPU, for the file"),
    text("model", "--model", "the model, for the file"),
    text("summary", "--summary", "what it is in a line, for the file"),
    text("source", "--source", "where the measurements come from, for the file"),
    text("licence", "--licence", "their licence, for the file"),
    text("date", "--date", "when they were made, for the file"),
    text("leavesOut", "--leaves-out", "what they do not contain, for the file"),
  ],
  defaults: {},
  takesModel: false,
  reads: {
    usage: "<file...>",
    summary: `step-time CSV (n_decode, kv_per_decode, …), or a folder of kernel CSVs`,
    ofFolder: OF_FOLDER,
  },
  examples: [
    "calibrate steps.csv --name mygpu_mymodel",
    "calibrate profile/ --layers 32 --max-sum-kv 65536",
    "calibrate profile/ --layers 32 --table --name mygpu_table",
  ],
  writes: ["data/<name>.json", "figs/<name>_fit.png"],
  run: (context) => new Promise((resolve) => resolve(reportOn(context))),
};
