/** Tables on a terminal: columns padded to their widest cell, numbers to the right, names to the left. */
import { inALine } from "../../core/foreign-words.js";
import type { Table } from "../../experiments/interface/report.js";
import type { Style } from "./style.js";

const GAP = "  ";

/** Cells are plain text of one column per character (a few Greek letters and ± among them). */
const width = (cell: string): number => [...cell].length;

const isNumeric = (cell: string): boolean => /^[-+−–→.\d]/.test(cell) || cell === "";

export function renderTable(table: Table, style: Style): string {
  const { title } = table;
  const columns = table.columns.map((name) => inALine(name));
  const rows = table.rows.map((row) => row.map((cell) => inALine(cell)));
  const widths = columns.map((column, i) => Math.max(width(column), ...rows.map((row) => width(row[i]))));
  const right = columns.map((_, i) => rows.length > 0 && rows.every((row) => isNumeric(row[i])));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const padding = " ".repeat(widths[i] - width(cell));
        return right[i] ? padding + cell : cell + padding;
      })
      .join(GAP)
      .trimEnd();
  const lines = [style.dim(line(columns)), ...rows.map(line)];
  return [...(title ? [inALine(title)] : []), ...lines].join("\n");
}
