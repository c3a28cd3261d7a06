/** `plot`: every figure again, from the CSVs alone; nothing is simulated. */
import { withSubtitle } from "../../charts/index.js";
import { ConfigError } from "../../core/errors.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { Figure, Report, Row } from "../interface/report.js";
import type { Tables } from "../interface/workspace.js";
import { chunkFigures, chunkFiles } from "../figures/chunk.js";
import {
  capacityComparison,
  CHUNKED,
  chunkedOverTime,
  chunkingImpactOf,
  UNCHUNKED,
} from "../figures/demo3.js";
import { CHUNK, figureAt, figuresOf, IMPACT_FIGURE, SERIES, SOURCES, SUMMARY, trialsOf } from "./sources.js";
import { MANIFEST } from "../interface/manifest.js";
import { provenanceOf } from "./provenance.js";

/** What was drawn so far, of how many tables, and what a reader should know about it. */
interface Drawn {
  readonly figures: readonly Figure[];
  readonly tables: number;
  readonly notes: readonly string[];
}

const NOTHING: Drawn = { figures: [], tables: 0, notes: [] };

/** Two rows for one place and the like are found by the chart, which does not know the file. */
function drawnFrom(names: readonly string[], draw: () => Figure[]): Figure[] {
  try {
    return draw();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const key = names.join(", ");
    throw new ConfigError(error.issues.map(({ message }) => ({ key, message: `${key}: ${message}` })));
  }
}

/** Adds what the manifest knows of the tables to the figures drawn from them. */
type Told = (files: readonly string[], figures: readonly Figure[]) => Promise<Figure[]>;

async function tellerFor({ workspace }: ExperimentContext): Promise<Told> {
  const manifest = await workspace.manifest(MANIFEST);
  return async (files, figures) => {
    const known = await Promise.all(files.map((file) => provenanceOf(workspace, manifest, file)));
    const [line] = known;
    // One line for all of a figure's tables, or none.
    if (line === undefined || known.some((other) => other !== line)) return [...figures];
    return figures.map(({ path, spec }) => ({ path, spec: withSubtitle(spec, line) }));
  };
}

async function singleTables(names: readonly string[], tables: Tables, told: Told): Promise<Drawn> {
  const figures: Figure[] = [];
  let count = 0;
  for (const name of names)
    for (const source of SOURCES) {
      const { file, required, beside } = source;
      const scenario = file.exec(name)?.[1];
      if (scenario === undefined) continue;
      const rows = (await tables.read(name, required)) ?? [];
      const other = beside && (await tables.read(`${scenario}${beside.suffix}`, beside.required));
      count++;
      if (rows.length > 0)
        figures.push(
          ...(await told(
            [name],
            drawnFrom([name], () => figuresOf(source, scenario, rows, other ?? [])),
          )),
        );
    }
  return { ...NOTHING, figures, tables: count };
}

/** Files of demo2 name no scenario. */
const CHUNK_FILE = /^chunk_size_sweep_(?:(.+)_)?([^_]+)_tmax([\d.]+)\.csv$/;

/** Chunk sweeps of several schedulers at the same T share their figures; of several T the longest is drawn. */
async function chunkSweeps(names: readonly string[], tables: Tables, told: Told): Promise<Drawn> {
  const sweeps: { name: string; scenario: string; tmax: number; rows: readonly Row[] }[] = [];
  for (const name of names) {
    const match = CHUNK_FILE.exec(name);
    if (!match) continue;
    const rows = (await tables.read(name, CHUNK)) ?? [];
    sweeps.push({ name, scenario: match[1] ?? "", tmax: Number(match[3]), rows });
  }
  const figures: Figure[] = [];
  const notes: string[] = [];
  for (const scenario of new Set(sweeps.map((sweep) => sweep.scenario))) {
    const own = sweeps.filter((sweep) => sweep.scenario === scenario);
    const longest = own.reduce((most, { tmax }) => Math.max(most, tmax), 0);
    const used = own.filter(({ tmax }) => tmax === longest);
    const rows = used.flatMap((sweep) => sweep.rows);
    for (const { name, tmax } of own)
      if (tmax !== longest) notes.push(`${name} is not drawn: its figures show the longest T, ${longest} s`);
    if (rows.length === 0) continue;
    const files = used.map(({ name }) => name);
    const drawn = drawnFrom(files, () =>
      chunkFigures(
        rows,
        scenario === "" ? "" : `${scenario}_`,
        `${scenario || "demo2"}: chunk size`,
        `T = ${longest} s, ${trialsOf(rows)}`,
      ),
    );
    figures.push(...(await told(files, drawn)));
  }
  return { figures, tables: sweeps.length, notes };
}

/** Of both demo3 scenarios together. */
const PAIR_FIGURES = ["demo3_time_series.png", "demo3_capacity_comparison.png"] as const;

/** What needs both demo3 scenarios; their tables are counted where each is drawn alone. */
async function demo3Figures(names: readonly string[], tables: Tables): Promise<Drawn> {
  const pair = async (
    suffix: string,
    required: readonly string[],
    draw: (chunked: readonly Row[], unchunked: readonly Row[]) => Figure[],
  ): Promise<Figure[]> => {
    const files = [CHUNKED, UNCHUNKED].map(({ scenario }) => `${scenario}${suffix}`);
    const [chunked, unchunked] = await Promise.all(files.map((file) => tables.read(file, required)));
    return chunked && unchunked ? drawnFrom(files, () => draw(chunked, unchunked)) : [];
  };
  const figures = [
    ...(await pair("_stability_time_series.csv", SERIES, (a, b) =>
      figureAt(PAIR_FIGURES[0], chunkedOverTime(a, b)),
    )),
    ...(await pair("_capacity_summary.csv", SUMMARY, (a, b) => [
      ...figureAt(PAIR_FIGURES[1], capacityComparison(a, b)),
      ...(names.includes("demo3_chunking_impact.csv") ? [] : figureAt(IMPACT_FIGURE, chunkingImpactOf(a, b))),
    ])),
  ];
  return { ...NOTHING, figures };
}

/** One figure per path: a scenario called demo3 would have its own under the names of the pair, which win. */
function once(figures: readonly Figure[]): { figures: Figure[]; notes: string[] } {
  const last = new Map(figures.map((figure) => [figure.path, figure]));
  const lost = figures.filter((figure) => last.get(figure.path) !== figure);
  return {
    figures: [...last.values()],
    notes: lost.map(({ path }) => `${path} shows demo3_b0_64 and demo3_b0_0, not the scenario named demo3`),
  };
}

/** Every figure that tables of these names can become. */
export function figureFiles(tables: readonly string[]): string[] {
  const own = tables.flatMap((name) => {
    const chunk = CHUNK_FILE.exec(name);
    return [
      ...SOURCES.flatMap(({ file, figures }) => {
        const scenario = file.exec(name)?.[1];
        return scenario === undefined ? [] : figures(scenario);
      }),
      ...(chunk ? chunkFiles(chunk[1] === undefined ? "" : `${chunk[1]}_`) : []),
    ];
  });
  const isPair = [CHUNKED, UNCHUNKED].every(({ scenario }) =>
    tables.some((name) => name.startsWith(`${scenario}_`)),
  );
  return [...new Set([...own, ...(isPair ? [...PAIR_FIGURES, IMPACT_FIGURE] : [])])];
}

async function execute(context: ExperimentContext): Promise<Report> {
  const { tables } = context;
  const names = await tables.list();
  const told = await tellerFor(context);
  const parts = [
    await singleTables(names, tables, told),
    await chunkSweeps(names, tables, told),
    await demo3Figures(names, tables),
  ];
  const count = parts.reduce((sum, part) => sum + part.tables, 0);
  if (count === 0)
    throw new ConfigError([
      {
        key: "--out-data",
        message:
          "no results in the data folder: run a command first, e.g. llmsim sweep-time --scenario demo2",
      },
    ]);
  const { figures, notes } = once(parts.flatMap((part) => part.figures));
  return {
    answer: [`redrew ${figures.length} figures from ${count} tables, nothing simulated`],
    tables: [],
    notes: [...parts.flatMap((part) => part.notes), ...notes],
    csv: [],
    figures,
    json: { results: figures.map(({ path }) => ({ figure: path })) },
    passed: true,
    next: ["llmsim reproduce --check"],
  };
}

export const plot: Experiment = {
  name: "plot",
  question: "Can I have the figures again?",
  options: [],
  defaults: {},
  takesModel: false,
  examples: ["plot", "plot --out-data results --out-figs pictures"],
  writes: ["figs/: every figure of the tables in data/"],
  outputs: async ({ tables }) => ({ figures: figureFiles(await tables.list()) }),
  run: execute,
};
