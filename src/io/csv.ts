/**
 * CSV, out and in: LF, plain numbers with every digit, a fixed order of columns, empty for no value. A text
 * that a spreadsheet would run as a formula gets a leading quote, which reading takes off again.
 */
import { CsvError, parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { isDecimal } from "../core/numbers/decimal.js";
import { ConfigError } from "../core/errors.js";
import { Issues } from "../core/issues.js";

export type CsvCell = string | number | null;
export type CsvRow = Readonly<Record<string, CsvCell>>;

export interface Csv {
  readonly columns: readonly string[];
  /** Numbers where a cell is one, null where it is empty. */
  readonly rows: readonly CsvRow[];
  /** The line of the file where each row ends, from 1. */
  readonly lines: readonly number[];
}

/** Texts that a spreadsheet takes for formulas, and those that would be taken for such a text quoted. */
const FORMULA = /^'*[=+\-@\t\r]/;
/** Longest row read, in bytes: a quote that is never closed must not swallow a whole disk. */
const LONGEST_ROW = 1_000_000;

function cellText(value: string | number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (typeof value === "number") return String(value);
  return FORMULA.test(value) ? `'${value}` : value;
}

type CellsByColumn = Readonly<Record<string, string | number | null | undefined>>;

/** Cells that become text at once. */
const CELLS = 10_000;

/**
 * The rows as CSV: a header and a line a row, their cells by column. What a row has beside is left out.
 * Numbers as `String` gives them, which is all their digits; NaN, null and undefined are empty. In pieces of whole
 * lines: a table may be longer than a text can be.
 */
export function* csvPieces(
  columns: readonly string[],
  rows: readonly CellsByColumn[],
): Generator<string, void, undefined> {
  const text = (lines: string[][]): string =>
    stringify(lines, {
      record_delimiter: "\n",
      quoted_match: /[\r\n]/,
      // A line of one empty cell would be a blank line.
      quoted_empty: columns.length === 1,
    });
  yield text([columns.map(cellText)]);
  const many = Math.max(1, Math.floor(CELLS / columns.length));
  for (let at = 0; at < rows.length; at += many)
    yield text(rows.slice(at, at + many).map((row) => columns.map((column) => cellText(row[column]))));
}

/** The rows as one text of CSV. */
export const toCsv = (columns: readonly string[], rows: readonly CellsByColumn[]): string =>
  [...csvPieces(columns, rows)].join("");

function cellValue(text: string): CsvCell {
  if (text === "") return null;
  if (/^[+-]?Infinity$/.test(text) || (isDecimal(text) && Number.isFinite(Number(text)))) return Number(text);
  return text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
}

/**
 * Reads a CSV with a header; a byte order mark and CRLF do not matter.
 * @throws ConfigError naming file and line, or file and missing column
 */
export function parseCsv(
  text: string,
  { file, required = [] }: { readonly file: string; readonly required?: readonly string[] },
): Csv {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    const options = { bom: true, skip_empty_lines: true, max_record_size: LONGEST_ROW, info: true } as const;
    records = parse(text, options) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new ConfigError([{ key: file, message: `${file}:${error.lines}: ${problemOf(error)}` }]);
  }
  const [header, ...body] = records.map(({ record }) => record.map(cellValue));
  if (!header) throw new ConfigError([{ key: file, message: `${file}: empty (a header and rows)` }]);
  const columns = header.map((cell) => String(cell ?? ""));
  const issues = new Issues(file);
  const add = (message: string): void => issues.add(() => ({ key: file, message: `${file}: ${message}` }));
  const seen = new Set(columns);
  for (const column of required)
    if (!seen.has(column)) add(`missing column: ${column} (it has: ${columns.join(", ")})`);
  for (const column of twice(columns)) add(`duplicate column: ${column}`);
  issues.refuse();
  // fromEntries defines own properties: a column called __proto__ is a column.
  const rows = body.map((cells) => Object.fromEntries(columns.map((column, i) => [column, cells[i]!])));
  return { columns, rows, lines: records.slice(1).map(({ info }) => info.lines) };
}

/** Names that stand there more than once, each once. */
function twice(names: readonly string[]): Set<string> {
  const seen = new Set<string>();
  return new Set(names.filter((name) => seen.size === seen.add(name).size));
}

function problemOf({ code, message }: CsvError): string {
  if (code === "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH")
    return "a row with more or fewer cells than the header";
  if (code === "CSV_QUOTE_NOT_CLOSED") return "a quote is not closed";
  if (code === "CSV_MAX_RECORD_SIZE") return `a row longer than ${LONGEST_ROW} bytes`;
  return message.charAt(0).toLowerCase() + message.slice(1);
}
