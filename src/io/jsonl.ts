/** JSON lines: an object a line, as rows with the lines that they stand in. */
import { Issues } from "../core/issues.js";
import { linesOf, valuesOf } from "./trace-lines.js";

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
  const issues = new Issues(file);
  for (const { text: line, number } of linesOf(text)) {
    const { values, problem } = valuesOf(line);
    lines.push(number);
    if (values) rows.push(values);
    else issues.add(() => ({ key: file, message: `${file}:${number}: ${problem} (an object a line)` }));
  }
  issues.refuse();
  return { rows, lines };
}
