/** A report as its reader gets it: the answer, what was assumed, the tables, the files, and what to try next. */
import { conditionText } from "../core/condition.js";
import { SLO_WORDS } from "../core/slo.js";
import type { Experiment, Report, Study } from "../experiments/experiment.js";
import { renderTable } from "./table.js";
import type { Style } from "./style.js";

/** What stands between the answer and the table: everything that a number depends on. */
export function header(study: Study): string {
  const { engine, conventions, horizon, workload, service } = study.config;
  const { firstToken, mixedBatch, sequenceCap, tbt } = conventions;
  const rest = (spec: object): string =>
    Object.entries(spec)
      .filter(([key]) => key !== "kind")
      .map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(",") : value}`)
      .join(" ");
  return [
    `scenario ${study.scenario}, ${study.trials} trial${study.trials === 1 ? "" : "s"}, seed ${study.seed}, T ${horizon.tmaxSeconds} s${horizon.warmupSeconds > 0 ? `, warm-up ${horizon.warmupSeconds} s` : ""}${horizon.maxRequests === null ? "" : `, at most ${horizon.maxRequests} requests`}`,
    `arrivals ${workload.arrivals.kind} ${rest(workload.arrivals)}; service ${service.kind} ${rest(service)}`,
    `engine maxTokens ${engine.maxTokens}, maxSequences ${engine.maxSequences}, chunk ${engine.chunkSize ?? "off"}, replicas ${engine.replicas}`,
    ...sloLine(study),
    `conventions firstToken ${firstToken}, mixedBatch ${mixedBatch}, sequenceCap ${sequenceCap}, tbt ${tbt}`,
  ].join("\n");
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
  if (report.notes.length > 0) parts.push(report.notes.map((note) => `note: ${note}`).join("\n"));
  if (written.length > 0) parts.push(`written:\n${written.map((file) => `  ${file}`).join("\n")}`);
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

/** The one JSON document of `--json`. A command that fixes its own settings has a seed, but no model to name. */
export function document({ name: command, takesModel }: Experiment, study: Study, report: Report): string {
  const { scenario, seed, trials } = study;
  const { conventions } = study.config;
  const assumed = takesModel ? { scenario, seed, trials, conventions } : { seed };
  return `${JSON.stringify({ command, ...assumed, ...report.json }, null, 2)}\n`;
}
