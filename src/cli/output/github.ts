/**
 * What a GitHub Actions job shows of a report: an annotation a condition (`::error`, `::warning`, `::notice`), and
 * the step's summary. The runner reads commands from stderr too, so stdout stays the document's under `--json`.
 */
import { resolve } from "node:path";
import { inALine } from "../../core/foreign-words.js";
import type { Report, Table } from "../../experiments/interface/report.js";
import { FileError } from "../../io/files.js";
import type { Streams } from "../streams.js";

/** As the runner unescapes them: a message may not end its line, a property not its list. */
const message = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => message(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

const cell = (text: string): string => inALine(text).replaceAll("|", "\\|").replaceAll("<", "&lt;");

function markdownTable({ title, columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [
    ...(title ? [`**${cell(title)}**`, ""] : []),
    line(columns),
    line(columns.map(() => "---")),
    ...rows.map(line),
  ].join("\n");
}

const markdown = (report: Report, replay: string): string =>
  [
    `### ${report.answer.map(cell).join("\n\n")}`,
    ...report.tables.map(markdownTable),
    ...report.notes.map((note) => `- ${cell(note)}`),
    `\`\`\`\n${replay}\n\`\`\``,
  ].join("\n\n");

/** Tells GitHub, where it listens, of a report that judges something. */
export async function tellGitHub(
  report: Report,
  replay: string,
  { env, stderr, cwd, fs }: Pick<Streams, "env" | "stderr" | "cwd" | "fs">,
  warn: (warning: string) => void,
): Promise<void> {
  const { annotations = [] } = report;
  if (annotations.length === 0) return;
  if ((env.GITHUB_ACTIONS ?? "") !== "")
    for (const { level, title, message: text } of annotations)
      stderr.write(`::${level} title=${property(title)}::${message(text)}\n`);
  const file = env.GITHUB_STEP_SUMMARY ?? "";
  if (file === "") return;
  try {
    await fs.append(resolve(cwd, file), `${markdown(report, replay)}\n`);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    warn(`GITHUB_STEP_SUMMARY: ${error.message}`); // the verdict does not hang on it
  }
}
