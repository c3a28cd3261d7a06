/**
 * `reproduce`: the whole of the earlier study at its sizes, under its conventions, with one seed; or with
 * `--check`, again, against what stands there. Finished experiments are kept, so that it can be interrupted.
 */
import { ConfigError } from "../../core/errors.js";
import type { Experiment, ExperimentContext, OutputContext, Outputs } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { Cell, CsvFile, Report, Row, Table } from "../interface/report.js";
import { figureFiles, plot } from "./plot.js";
import { type Finished, type Manifest, MANIFEST } from "../interface/manifest.js";
import { CHUNKING_CASES, CHUNKING_COLUMNS, chunkingStep, keptOf, type Step, stepsOf } from "./steps.js";

/** The CSVs that a step adds; those of the λ* comparison become one table at the end. */
const filesOf = (step: Step, { csv }: Pick<Report, "csv">): readonly CsvFile[] =>
  isChunking(step) ? [] : keptOf(step, csv);

const isChunking = (step: Step): boolean =>
  CHUNKING_CASES.some(({ b0, chunkSize }) => chunkingStep(b0, chunkSize) === step.name);

const IMPACT = "demo3_chunking_impact.csv";

function chunkingFile(finished: Readonly<Record<string, Finished>>): CsvFile {
  const rows: Row[] = CHUNKING_CASES.flatMap(({ b0, chunkSize }) =>
    (finished[chunkingStep(b0, chunkSize)]?.rows ?? []).map((row) => ({
      scheduler: row.scheduler,
      b0,
      chunk_size: chunkSize,
      lambda_star_qps: row.lambda_star_qps,
      ci95_low: row.ci95_low,
      ci95_high: row.ci95_high,
    })),
  );
  return { path: IMPACT, columns: CHUNKING_COLUMNS, rows };
}

interface Run {
  readonly finished: Readonly<Record<string, Finished>>;
  readonly kept: number;
}

const OPTIONS = [
  { key: "quick", flag: "--quick", kind: "flag", summary: "the same in small, hashes only (for CI)" },
  {
    key: "check",
    flag: "--check",
    kind: "flag",
    summary: "run again and compare with what is there, writing nothing",
  },
] as const satisfies ExperimentOptions;

/** Runs the steps that are not finished yet; each is written as soon as it is done. */
async function runSteps(
  context: ExperimentContext<typeof OPTIONS>,
  steps: readonly Step[],
  before: Manifest | undefined,
  writes: boolean,
): Promise<Run> {
  const { workspace, study, tell } = context;
  const finished: Record<string, Finished> = {};
  let kept = 0;
  for (const [index, step] of steps.entries()) {
    const own = await workspace.study(step.experiment, { ...step.settings, seed: study.seed });
    const key = workspace.hashText(
      JSON.stringify([
        workspace.version,
        workspace.core,
        own.scenario,
        own.config,
        own.schedulers,
        own.trials,
        own.seed,
        step.options,
      ]),
    );
    const earlier = before?.steps[step.name];
    if (writes && earlier?.key === key && (await isOnDisk(context, earlier))) {
      finished[step.name] = earlier;
      kept++;
      continue;
    }
    tell(`${index + 1} of ${steps.length}: ${step.name}`);
    const report = await step.experiment.run({
      ...context,
      study: own,
      options: step.options,
      say: () => {},
    });
    const files = filesOf(step, report);
    const csv = Object.fromEntries(files.map((file) => [file.path, workspace.hashCsv(file)]));
    const summary = isChunking(step) ? { rows: keptOf(step, report.csv)[0].rows } : {};
    const { scenario, config, schedulers, trials } = own;
    const known = writes ? { study: { scenario, config, schedulers, trials } } : {};
    finished[step.name] = { key, ...known, csv, ...summary };
    if (writes) {
      await workspace.write({ csv: files, figures: [] });
      await writeManifest(context, MANIFEST, { ...before?.steps, ...finished });
    }
  }
  return { finished, kept };
}

async function isOnDisk(
  { workspace }: ExperimentContext<typeof OPTIONS>,
  { csv }: Finished,
): Promise<boolean> {
  for (const [file, hash] of Object.entries(csv)) {
    const text = await workspace.readText(file);
    if (text === undefined || workspace.hashText(text) !== hash) return false;
  }
  return true;
}

async function writeManifest(
  { workspace, study }: ExperimentContext<typeof OPTIONS>,
  name: string,
  steps: Readonly<Record<string, Finished>>,
): Promise<void> {
  const manifest: Manifest = { llmsim: workspace.version, seed: study.seed, steps };
  await workspace.writeText(name, `${JSON.stringify(manifest, null, 1)}\n`);
}

/** What differs between what was computed and what the manifest and the files say. */
async function differences(
  { workspace }: ExperimentContext<typeof OPTIONS>,
  found: Readonly<Record<string, Finished>>,
  committed: Manifest | undefined,
  quick: boolean,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [step, { csv }] of Object.entries(found))
    for (const [file, hash] of Object.entries(csv)) {
      const expected = committed?.steps[step]?.csv[file];
      const text = quick ? undefined : await workspace.readText(file);
      const verdict =
        expected === undefined
          ? "not in the manifest"
          : expected !== hash
            ? "differs"
            : !quick && text === undefined
              ? "missing"
              : text !== undefined && workspace.hashText(text) !== hash
                ? "file was changed"
                : "same";
      rows.push({ file, verdict });
    }
  return rows;
}

const tableOf = (rows: readonly Row[]): Table => ({
  title: "",
  columns: ["file", ""],
  rows: rows.map((row) => [String(row.file), String(row.verdict)]),
});

async function check(
  context: ExperimentContext<typeof OPTIONS>,
  steps: readonly Step[],
  quick: boolean,
): Promise<Report> {
  const name = quick ? `quick/${MANIFEST}` : MANIFEST;
  const committed = await context.workspace.manifest(name);
  if (!committed)
    throw new ConfigError([
      {
        key: "--check",
        message: `nothing to check against: no ${name} in the data folder (run llmsim reproduce${quick ? " --quick" : ""} first)`,
      },
    ]);
  const seeded = { ...context, study: { ...context.study, seed: committed.seed } };
  const { finished } = await runSteps(seeded, steps, undefined, false);
  const all = quick ? finished : withChunking(context, finished);
  const rows = await differences(context, all, committed, quick);
  const wrong = rows.filter((row) => row.verdict !== "same");
  return {
    ...EMPTY,
    answer: [
      wrong.length === 0
        ? `reproduced: all ${rows.length} tables are the same to the byte`
        : `NOT reproduced: ${wrong.length} of ${rows.length} tables differ`,
    ],
    tables: [tableOf(wrong.length === 0 ? rows : wrong)],
    json: { results: rows },
    passed: wrong.length === 0,
  };
}

/** The chunking comparison as a step of its own in the manifest. */
function withChunking(
  { workspace }: ExperimentContext<typeof OPTIONS>,
  finished: Readonly<Record<string, Finished>>,
): Record<string, Finished> {
  const file = chunkingFile(finished);
  return {
    ...finished,
    "chunking at the same b0": { key: "", csv: { [file.path]: workspace.hashCsv(file) } },
  };
}

const EMPTY: Report = {
  answer: [],
  tables: [],
  notes: [],
  csv: [],
  figures: [],
  json: {},
  passed: true,
  next: [],
};

async function reproduceAll(
  context: ExperimentContext<typeof OPTIONS>,
  steps: readonly Step[],
): Promise<Report> {
  const before = await context.workspace.manifest(MANIFEST);
  const { finished, kept } = await runSteps(context, steps, before, true);
  const chunking = chunkingFile(finished);
  await context.workspace.write({ csv: [chunking], figures: [] });
  await writeManifest(context, MANIFEST, withChunking(context, finished));
  context.tell("figures");
  const figures = await plot.run({ ...context, say: () => {} });
  const tables = Object.values(finished).reduce((sum, { csv }) => sum + Object.keys(csv).length, 1);
  return {
    ...EMPTY,
    answer: [
      `reproduced ${steps.length} experiments (${kept} kept from before): ${tables} tables, ${figures.figures.length} figures`,
    ],
    figures: figures.figures,
    json: {
      results: Object.entries(finished).map(([step, { csv }]) => ({
        step,
        csv: Object.keys(csv) as unknown as Cell,
      })),
    },
    next: ["llmsim reproduce --check", "llmsim plot"],
  };
}

async function execute(context: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const { quick, check: checks } = context.options;
  const steps = stepsOf(quick);
  if (checks) return check(context, steps, quick);
  if (!quick) return reproduceAll(context, steps);
  const { finished } = await runSteps(context, steps, undefined, false);
  await writeManifest(context, `quick/${MANIFEST}`, finished);
  return {
    ...EMPTY,
    answer: [`ran ${steps.length} experiments in small; their hashes stand in quick/${MANIFEST}`],
    json: { results: Object.keys(finished).map((step) => ({ step })) },
    next: ["llmsim reproduce --quick --check"],
  };
}

/** The tables of all steps, the manifest, and the figures of all tables that will then be there. */
async function outputs({
  study,
  options,
  tables,
  workspace,
}: OutputContext<typeof OPTIONS>): Promise<Outputs> {
  if (options.check) return {};
  if (options.quick) return { data: [`quick/${MANIFEST}`] };
  // One that cannot be read is told by itself: it would have said whose the tables are.
  await workspace.manifest(MANIFEST);
  const made = [IMPACT];
  for (const step of stepsOf(false)) {
    const own = await workspace.study(step.experiment, { ...step.settings, seed: study.seed });
    const { data = [] } = await step.experiment.outputs({
      study: own,
      options: step.options,
      tables,
      workspace,
    });
    made.push(
      ...filesOf(step, { csv: data.map((path) => ({ path, columns: [], rows: [] })) }).map(
        ({ path }) => path,
      ),
    );
  }
  return { data: [...made, MANIFEST], figures: figureFiles([...(await tables.list()), ...made]) };
}

export const reproduce: Experiment<typeof OPTIONS> = {
  name: "reproduce",
  question: "What did the study find, and does it hold?",
  options: OPTIONS,
  defaults: {},
  takesModel: false,
  unshared: () => "its searches for boundaries go on from what the earlier points came to",
  examples: ["reproduce", "reproduce --quick --check"],
  writes: ["everything in data/ and figs/", "data/manifest.json", "data/quick/manifest.json with --quick"],
  outputs,
  run: execute,
};
