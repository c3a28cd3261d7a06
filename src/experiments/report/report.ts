/**
 * `report`: one page from the CSVs of a reproduction, as HTML and as Markdown. Its sentences are computed from the
 * tables each time; nothing in it is written by hand that a rerun could make false.
 */
import { ConfigError } from "../../core/errors.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { Figure, Report, Row } from "../interface/report.js";
import { plot } from "../reproduce/plot.js";
import {
  capacity,
  chunkingImpact,
  chunkSizes,
  decodeRatios,
  type Finding,
  timeWindows,
  validation,
} from "./findings.js";
import { type Document, type Section, toHtml, toMarkdown } from "./page.js";
import { commandFor, setup, sourceLine } from "./provenance.js";
import { STUDY_TABLES, studySaid } from "./study-said.js";
import { MANIFEST, type Manifest } from "../interface/manifest.js";

/** One kind of table that has a section of its own. */
interface Chapter {
  /** Its file; the group is the scenario. */
  readonly file: RegExp;
  readonly title: (scenario: string) => string;
  readonly question: string;
  /** A second table that its sentences use. */
  readonly beside?: (scenario: string) => string;
  readonly figures: (scenario: string) => readonly string[];
  readonly find: (rows: readonly Row[], beside: readonly Row[]) => Finding;
  /** Each must be a column of the table. */
  readonly required: readonly string[];
}

/** In the order of the page. */
const CHAPTERS: readonly Chapter[] = [
  {
    file: /^(validation)\.csv$/,
    title: () => "Against queueing theory",
    question: "Can I trust the numbers?",
    figures: () => [],
    find: validation,
    required: ["check", "verdict", "relative_error"],
  },
  {
    file: /^(?!hybrid_ratio_)(.+)_time_series_results\.csv$/,
    title: (s) => `${s}: the schedulers`,
    question: "Which scheduler is best for this load, and how long must a run be?",
    figures: (s) => [`${s}_dashboard.png`],
    find: timeWindows,
    required: ["scheduler", "t_max_s", "rts_p95_s"],
  },
  {
    file: /^(.+)_capacity_summary\.csv$/,
    title: (s) => `${s}: how much load before it breaks`,
    question: "How much load before it breaks?",
    beside: (s) => `${s}_stability_results.csv`,
    figures: (s) => [`${s}_scheduler_comparison.png`, `${s}_capacity_bar.png`],
    find: capacity,
    required: ["scheduler", "lambda_star_qps", "ci95_low", "ci95_high", "upper_bound_qps"],
  },
  {
    file: /^(.+)_capacity_summary_resident\.csv$/,
    title: (s) => `${s}: the same with maxSequences limiting residents`,
    question: "Does it matter what the sequence cap counts?",
    figures: () => [],
    find: (rows) => capacity(rows, []),
    required: ["scheduler", "lambda_star_qps", "ci95_low", "ci95_high", "upper_bound_qps"],
  },
  {
    file: /^chunk_size_sweep_(.+)_tmax[\d.]+\.csv$/,
    title: (s) => `Chunk sizes under ${s}`,
    question: "Does chunked prefill help, and which size?",
    figures: (s) => (s === "decode" ? ["ttft_vs_chunk.png", "rts_p95_vs_chunk.png"] : []),
    find: chunkSizes,
    required: ["scheduler", "chunk_size", "rts_p95_s"],
  },
  {
    file: /^hybrid_ratio_(.+)_steady_state\.csv$/,
    title: (s) => `${s}: the decode ratio`,
    question: "Which split between decodes and prompts?",
    figures: (s) => [`hybrid_ratio_${s}_steady_vs_ratio.png`],
    find: decodeRatios,
    required: ["ratio", "rts_p95_s", "decode_limit_binding", "prefill_limit_binding"],
  },
  {
    file: /^(demo3)_chunking_impact\.csv$/,
    title: () => "Chunking apart from b0",
    question: "Is it chunks that raise capacity, or tokens that ride for free?",
    figures: () => ["demo3_chunking_impact.png"],
    find: chunkingImpact,
    required: ["scheduler", "b0", "chunk_size", "lambda_star_qps"],
  },
];

async function sectionsOf(
  { tables, workspace }: ExperimentContext,
  manifest: Manifest | undefined,
  figures: ReadonlyMap<string, Figure>,
): Promise<Section[]> {
  const names = await tables.list();
  const sections: Section[] = [];
  for (const chapter of CHAPTERS)
    for (const name of names) {
      const scenario = chapter.file.exec(name)?.[1];
      if (scenario === undefined) continue;
      const rows = (await tables.read(name, chapter.required)) ?? [];
      if (rows.length === 0) continue;
      const other = chapter.beside?.(scenario);
      const beside = (other === undefined ? undefined : await tables.read(other, [])) ?? [];
      const sources = [await sourceLine(workspace, manifest, name)];
      if (other !== undefined && beside.length > 0)
        sources.push(await sourceLine(workspace, manifest, other));
      const command = commandFor(manifest, name);
      const { says, table } = chapter.find(rows, beside);
      sections.push({
        title: chapter.title(scenario),
        question: chapter.question,
        says,
        ...(table && { table }),
        figures: chapter.figures(scenario).flatMap((path) => {
          const figure = figures.get(path);
          return figure ? [{ path, words: wordsOf(figure) }] : [];
        }),
        ...(command !== undefined && { command }),
        sources,
      });
    }
  return sections;
}

/** Every chart of ours describes itself. */
const wordsOf = ({ spec, path }: Figure): string => (spec as { description?: string }).description ?? path;

/** What the study said, table by table. */
async function studySections({ tables }: ExperimentContext): Promise<Section[]> {
  const sections: Section[] = [];
  // The final results stand in a table of their own, which no chapter shows.
  for (const name of await tables.list()) {
    if (!STUDY_TABLES.includes(name)) continue;
    const found = studySaid(name, (await tables.read(name, [])) ?? []);
    if (!found) continue;
    sections.push({
      title: `What the study said: ${name.replace(/_|\.csv$/g, " ").trim()}`,
      says: found.says,
      ...(found.table && { table: found.table }),
      figures: [],
      sources: [name],
    });
  }
  return sections;
}

function setupSection(manifest: Manifest): Section {
  return {
    title: "Set-up",
    says: [
      `llmsim ${manifest.llmsim}, seed ${manifest.seed}. All intervals are 95 % Student-t intervals over independent trials; schedulers share the random numbers of each trial.`,
    ],
    table: setup(manifest),
    figures: [],
    command: `llmsim reproduce --seed ${manifest.seed}`,
    sources: [MANIFEST],
  };
}

const HTML = "report.html";
const MARKDOWN = "report.md";

async function execute(context: ExperimentContext): Promise<Report> {
  const { workspace, tell } = context;
  const manifest = await workspace.manifest(MANIFEST);
  const drawn = await plot.run({ ...context, say: () => {} });
  const figures = new Map(drawn.figures.map((figure) => [figure.path, figure]));
  const found = await sectionsOf(context, manifest, figures);
  if (found.length === 0)
    throw new ConfigError([
      {
        key: "--out-data",
        message: "no results in the data folder that a report tells of (run llmsim reproduce)",
      },
    ]);
  const sections = [
    ...(manifest ? [setupSection(manifest)] : []),
    ...found,
    ...(await studySections(context)),
  ];
  const document: Document = {
    title: "What the simulator finds",
    lead: found.flatMap(({ title, says }) => says.slice(0, 1).map((sentence) => `${title}: ${sentence}`)),
    sections,
  };
  tell("figures");
  const svgs = new Map<string, string>();
  for (const { path } of sections.flatMap((section) => section.figures))
    svgs.set(path, await workspace.picture(figures.get(path)!.spec));
  const broken = sections.flatMap(({ sources }) => sources.filter((line) => line.includes(": NOT ")));
  return {
    answer: [`a report of ${found.length} experiments, with ${svgs.size} figures, nothing simulated`],
    tables: [],
    notes: [...(manifest ? [] : ["no manifest: the report cannot say how its tables were made"]), ...broken],
    csv: [],
    figures: [],
    texts: [
      { path: HTML, text: toHtml(document, svgs, (text) => workspace.policyHash(text)) },
      { path: MARKDOWN, text: toMarkdown(document, (path) => workspace.figureLink(path)) },
    ],
    json: { results: sections.map(({ title, says }) => ({ title, says })) },
    passed: true,
    next: ["llmsim reproduce --check", "llmsim explore --open"],
  };
}

export const report: Experiment = {
  name: "report",
  question: "What came out of it all, on one page?",
  options: [],
  defaults: {},
  takesModel: false,
  examples: ["report", "report --out-data results --out-figs pictures"],
  writes: ["data/report.html, one file that needs no network", "data/report.md, with links to figs/"],
  outputs: () => ({ data: [HTML, MARKDOWN] }),
  run: execute,
};
