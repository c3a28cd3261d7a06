/** JSON lines: an object a line, as rows with the lines that they stand in. */
import { ConfigError, type Issue } from "../core/errors.js";
import { linesOf, valuesOf } from "./trace-lines.js";

const MOST_ISSUES = 10;

/**
 * Reads JSON lines; blank ones do not matter.
 * @param file the file as errors name it
 * @throws ConfigError with the lines that are no object, at most ten and how many more
 */
export function parseJsonl(
  text: string,
  file: string,
): { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly lines: readonly number[] } {
  const rows: Readonly<Record<string, unknown>>[] = [];
  const lines: number[] = [];
  const issues: Issue[] = [];
  for (const { text: line, number } of linesOf(text)) {
    const { values, problem } = valuesOf(line);
    lines.push(number);
    if (values) rows.push(values);
    else issues.push({ key: file, message: `${file}:${number}: ${problem} (an object a line)` });
  }
  if (issues.length > MOST_ISSUES)
    issues.splice(MOST_ISSUES, Infinity, {
      key: file,
      message: `${file}: ${issues.length - MOST_ISSUES} lines more that are no objects`,
    });
  if (issues.length > 0) throw new ConfigError(issues);
  return { rows, lines };
}
