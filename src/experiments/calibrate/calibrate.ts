/** `calibrate`: service times of a GPU from measured steps or kernels, as a hardware file with its errors in it. */
import { ConfigError } from "../../core/errors.js";
import { hardwareDocument, OVERHEADS, type Provenance } from "./document.js";
import { fitForms, fitTable } from "./fit.js";
import { FORMS, type Form } from "./forms.js";
import { nameFrom, OF_FOLDER, type Profile, readProfile } from "./profile.js";
import { CHUNK_STEP_OPTION, RANGE_OPTIONS, rangeFrom } from "./range.js";
import { answerOf, fitFigure, notesOn, rowsOf, tablesOf } from "./fit-report.js";
import { stepsIn } from "./steps.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOption, ExperimentOptions, OptionsOf } from "../interface/options.js";
import type { Report } from "../interface/report.js";

const text = <const K extends string>(key: K, flag: string, summary: string) =>
  ({ key, flag: `${flag} <text>`, kind: "text", summary }) as const satisfies ExperimentOption;

const OPTIONS = [
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
  CHUNK_STEP_OPTION,
  text("gpu", "--gpu", "the GPU, for the file"),
  text("model", "--model", "the model, for the file"),
  text("summary", "--summary", "what it is in a line, for the file"),
  text("source", "--source", "where the measurements come from, for the file"),
  text("licence", "--licence", "their licence, for the file"),
  text("date", "--date", "when they were made, for the file"),
  text("leavesOut", "--leaves-out", "what they do not contain, for the file"),
  {
    key: "engine",
    flag: "--engine <list>",
    kind: "list",
    summary: "token budget and sequence cap of the GPU's server, for the file, e.g. 8192,1024",
  },
] as const satisfies ExperimentOptions;

type Options = OptionsOf<typeof OPTIONS>;
/** Options whose text goes into the file. */
type TextKey = Exclude<keyof Provenance, "engine">;

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

function provenanceFrom(options: Options, { meta, name }: Profile, files: readonly string[]): Provenance {
  const said = (key: TextKey, otherwise: string): string => options[key] || otherwise;
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
    date: said("date", known("profiled_at").split("T")[0]),
    leavesOut: said("leavesOut", "not stated"),
    ...limitsFrom(options.engine),
  };
}

const MOST = 2_147_483_647;
const isLimit = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= MOST;

/** The server's limits, as they were told. */
function limitsFrom(given: readonly number[] | null): Pick<Provenance, "engine"> {
  if (given === null) return {};
  const [maxTokens, maxSequences] = given;
  if (given.length !== 2 || !given.every(isLimit))
    throw new ConfigError([
      {
        key: "--engine",
        message: `invalid --engine: ${given.join(",")} (token budget and sequence cap, integers at least 1, e.g. 8192,1024)`,
      },
    ]);
  return { engine: { maxTokens, maxSequences } };
}

const filesOf = (name: string): { readonly data: [string]; readonly figures: [string] } => ({
  data: [`${name}.json`],
  figures: [`${name}_fit.png`],
});

function reportOn({ inputs = [], options }: ExperimentContext<typeof OPTIONS>): Report {
  const profile = readProfile(inputs, options.layers);
  const provenance = provenanceFrom(
    options,
    profile,
    inputs.map(({ file }) => file),
  );
  const range = rangeFrom(options, profile.range);
  const isTable = options.table;
  if (isTable && !profile.kernels)
    throw new ConfigError([
      {
        key: "--table",
        message: "--table: needs a kernel profile (dense.csv, per_sequence.csv, attention.csv)",
      },
    ]);
  const fit = isTable
    ? fitTable(profile.kernels!, stepsIn(profile.steps, range))
    : fitForms(profile, range, formsFrom(options.forms), options.chunkStep);
  const { form, service, heldOut, choice, fitted, measured } = fit;
  const { name } = provenance;
  return {
    answer: [answerOf(name, fit)],
    tables: tablesOf(fit),
    notes: notesOn(profile, range, fit),
    csv: [],
    texts: [{ path: filesOf(name).data[0], text: hardwareDocument(provenance, fit) }],
    figures: [{ path: filesOf(name).figures[0], spec: fitFigure(provenance, fit) }],
    json: {
      name,
      form,
      service: isTable ? { kind: service.kind } : service,
      overheads: OVERHEADS,
      held_out_pct: 100 * heldOut,
      results: rowsOf(fitted),
      ...(measured && { measured: rowsOf(measured) }),
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

export const calibrate: Experiment<typeof OPTIONS> = {
  name: "calibrate",
  question: "What are the service times of my GPU?",
  options: OPTIONS,
  defaults: {},
  takesModel: false,
  reads: {
    usage: "<file...>",
    what: "profile",
    summary: `step-time CSV (n_decode, kv_per_decode, …), or a folder of kernel CSVs`,
    ofFolder: OF_FOLDER,
  },
  examples: [
    "calibrate steps.csv --name mygpu_mymodel",
    "calibrate profile/ --layers 32 --max-sum-kv 65536",
    "calibrate profile/ --layers 32 --table --name mygpu_table",
  ],
  writes: ["data/<name>.json", "figs/<name>_fit.png"],
  outputs: ({ options, inputs = [] }) => {
    return filesOf(options.name || nameFrom(inputs[0]?.file ?? ""));
  },
  run: (context) => new Promise((resolve) => resolve(reportOn(context))),
};
