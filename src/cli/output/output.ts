/** A report as its reader gets it: the answer, what was assumed, the tables, the files, and what to try next. */
import { capOf, USUAL_DISCIPLINE, USUAL_ROUTER } from "../../core/configuration/config.js";
import { conditionText } from "../../core/measures/condition.js";
import { inALine } from "../../core/foreign-words.js";
import { BLOCK_TOKENS } from "../../core/numbers/units.js";
import { SLO_WORDS } from "../../core/configuration/slo.js";
import type { Experiment } from "../../experiments/interface/experiment.js";
import type { Report } from "../../experiments/interface/report.js";
import type { Study, TraceUse } from "../../experiments/interface/study.js";
import { jsonPieces } from "../../io/json.js";
import { serverLines } from "./server-lines.js";
import { renderTable } from "./terminal-table.js";
import type { Style } from "./style.js";

/** A long list is a table, which the header only names. */
const MOST_LISTED = 12;
const listed = (values: readonly unknown[]): string =>
  values.length > MOST_LISTED ? `[${values.length} values]` : values.join(",");

const rest = (spec: object): string =>
  Object.entries(spec)
    .filter(([key]) => key !== "kind" && key !== "data")
    .map(([key, value]) => `${key} ${Array.isArray(value) ? listed(value) : value}`)
    .join(" ");

/** What a command assumes that brings its own requests. */
function machineHeader({ hardware, config, schedulers }: Study): string {
  const { engine, service } = config;
  const async = engine.async === null ? "" : `, async ${engine.async}`;
  return [
    `hardware ${hardware}; service ${service.kind} ${rest(service)}`,
    `engine maxTokens ${engine.maxTokens}, maxSequences ${engine.maxSequences}, chunk ${engine.chunkSize ?? "off"}, kvTokens ${engine.kvTokens ?? "unlimited"}${async}, scheduler ${schedulers[0].kind}`,
  ]
    .map((line) => inALine(line))
    .join("\n");
}

/** A trace on a GPU has nothing of the scenario left, unless it was asked for. */
function whereFrom({ scenario, hardware, trace, chosenBy }: Study): string {
  if (hardware === undefined) return `scenario ${scenario}`;
  const isLeft = trace?.use !== "replay" || chosenBy?.includes("--scenario") === true;
  return `${isLeft ? `scenario ${scenario}, ` : ""}hardware ${hardware}`;
}

/** What stands between the answer and the table: everything that a number depends on. */
export function header(study: Study, { takesModel }: Pick<Experiment, "takesModel">): string | undefined {
  if (takesModel !== true) return takesModel ? machineHeader(study) : undefined;
  const { engine, conventions, horizon, workload, service } = study.config;
  const { firstToken, mixedBatch, sequenceCap, tbt } = conventions;
  const assumed = (name: string): string => (study.assumed?.includes(`engine.${name}`) ? " (assumed)" : "");
  return [
    `${whereFrom(study)}, ${study.trials} trial${study.trials === 1 ? "" : "s"}, seed ${study.seed}, T ${horizon.tmaxSeconds} s${horizon.warmupSeconds > 0 ? `, warm-up ${horizon.warmupSeconds} s` : ""}${horizon.maxRequests === null ? "" : `, at most ${horizon.maxRequests} requests`}`,
    ...(study.trace ? [traceLine(study.trace)] : []),
    ...(study.vllm ? serverLines(study.vllm) : []),
    ...(study.plugins ?? []).map(
      ({ file, sha256, schedulers }) =>
        `plugin ${file}: ${schedulers.join(", ")} (sha256 ${sha256.slice(0, 12)}…)`,
    ),
    `arrivals ${workload.arrivals.kind} ${rest(workload.arrivals)}${capOf(workload) === null ? "" : `, at most ${workload.maxConcurrency} out at once`}; service ${service.kind} ${rest(service)}`,
    [
      `engine maxTokens ${engine.maxTokens}${assumed("maxTokens")}, maxSequences ${engine.maxSequences}${assumed("maxSequences")}, chunk ${engine.chunkSize ?? "off"}, replicas ${engine.replicas}`,
      ...(engine.discipline.kind === USUAL_DISCIPLINE
        ? []
        : [`discipline ${engine.discipline.kind} ${rest(engine.discipline)}`]),
      ...memoryWords(study),
      ...(engine.async === null ? [] : [`async ${engine.async}`]),
      ...(engine.overheadMs === 0 ? [] : [`overheadMs ${engine.overheadMs}`]),
      ...(engine.router.kind === USUAL_ROUTER ? [] : [`router ${engine.router.kind}`]),
    ].join(", "),
    ...sloLine(study),
    `conventions firstToken ${firstToken}, mixedBatch ${mixedBatch}, sequenceCap ${sequenceCap}, tbt ${tbt}`,
  ]
    .map((line) => inALine(line))
    .join("\n");
}

/** The KV memory, and what of its rules is not the scheduler's own. */
function memoryWords({ config, trace }: Study): string[] {
  const { kvTokens, blockTokens, prefixCaching, reservePrompt, watermark } = config.engine;
  const ignored = trace ? " (prefix hits of the trace are ignored)" : "";
  return [
    ...(kvTokens === null ? [] : [`kvTokens ${kvTokens}`]),
    ...(blockTokens === BLOCK_TOKENS ? [] : [`blockTokens ${blockTokens}`]),
    ...(prefixCaching === false ? [`prefix caching off${ignored}`] : []),
    ...(reservePrompt === null ? [] : [`reservePrompt ${reservePrompt}`]),
    ...(watermark === 0 ? [] : [`watermark ${watermark}`]),
  ];
}

/** Which trace, and what was done to it. */
function traceLine({ file, format, unit, use, requests, seconds, leftOut, clipped }: TraceUse): string {
  const many = `${requests} request${requests === 1 ? "" : "s"}`;
  const span =
    seconds > 0 ? `in ${seconds} s (${(requests / seconds).toPrecision(4)} per s)` : "at one instant";
  const recorded = use === "replay" ? ` ${span}` : "";
  return [
    `${use === "replay" ? "trace" : "lengths from"} ${file}, ${format}${unit === undefined ? "" : ` (instants in ${unit})`}: ${many}${recorded}`,
    ...(leftOut > 0 ? [`${leftOut} failed left out`] : []),
    ...(clipped > 0 ? [`${clipped} prompts cut`] : []),
  ].join(", ");
}

/** What is asked, where something is. */
function sloLine({ config, targets = [] }: Study): string[] {
  const words = [...SLO_WORDS].flatMap(([word, key]) => {
    const limit = config.slo?.[key] ?? null;
    return limit === null ? [] : [`${word} ${limit} s`];
  });
  return words.length + targets.length === 0
    ? []
    : [
        `slo ${[...(words.length > 0 ? [`of each request: ${words.join(", ")}`] : []), ...(targets.length > 0 ? [`of the run: ${targets.map(conditionText).join(", ")}`] : [])].join("; ")}`,
      ];
}

/** Everything of a report that comes after the answer. */
export function body(
  report: Report,
  assumed: string | undefined,
  written: readonly string[],
  replay: string,
  style: Style,
): string {
  const parts: string[] = [];
  if (assumed) parts.push(style.dim(assumed));
  for (const table of report.tables) parts.push(renderTable(table, style));
  if (report.notes.length > 0) parts.push(report.notes.map((note) => `note: ${inALine(note)}`).join("\n"));
  if (written.length > 0) parts.push(`written:\n${written.map((file) => `  ${inALine(file)}`).join("\n")}`);
  parts.push(`again:  ${replay}`);
  if (report.next.length > 0)
    parts.push(
      `next:   ${report.next[0]}${report.next
        .slice(1)
        .map((line) => `\n        ${line}`)
        .join("")}`,
    );
  return `\n${parts.join("\n\n")}\n`;
}

/** What a run that was stopped can show: its tables over the trials that were finished. Nothing of it is written. */
export function partial(report: Report, style: Style): string {
  const tables = report.tables.map((table) => renderTable(table, style));
  return `\n${["interrupted: over the finished trials only, and not written", ...tables].join("\n\n")}\n`;
}

/**
 * The one JSON document of `--json`, in pieces: every trial's values may be more than a text can hold. A command that fixes its own settings has a seed, but no model to name; one that
 * brings its requests has no scenario.
 */
export function* document(
  { name: command, takesModel }: Experiment,
  study: Study,
  report: Report,
): Generator<string, void, undefined> {
  const { scenario, hardware, seed, trials, plugins } = study;
  const { conventions } = study.config;
  const trace = study.trace && { trace: study.trace };
  const vllm = study.vllm && { vllm: study.vllm };
  const machine = { ...(hardware !== undefined && { hardware }), ...(plugins && { plugins }) };
  const assumed =
    takesModel === true
      ? { scenario, ...machine, seed, trials, conventions, ...trace, ...vllm }
      : takesModel
        ? { ...machine, seed, conventions }
        : { seed };
  yield* jsonPieces({ command, ...assumed, ...report.json }, 2);
  yield "\n";
}
