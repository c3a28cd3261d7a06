/**
 * Reads a recorded trace: finds its format by its columns, checks every line, and names the result by what it was
 * made of. Every problem is told with file, line and column, the first ten in full.
 */
import { createHash } from "node:crypto";
import { ConfigError } from "../core/errors.js";
import { lastInstant, type Trace } from "../core/trace.js";
import { hint } from "../config/suggest.js";
import { show } from "../config/telling.js";
import { type FileSystem, readNamed } from "./files.js";
import { OPTIONAL_COLUMNS, type TraceFormat } from "./trace-format.js";
import { cellsOf, type Line, linesOf, valuesOf } from "./trace-lines.js";
import { Problems, TraceRows } from "./trace-rows.js";
import * as registered from "./traces/index.js";

export const TRACE_FORMATS: readonly TraceFormat[] = Object.values(registered);

export interface TraceOptions {
  /** Replayed with its instants, or lengths alone. */
  readonly use: "replay" | "lengths";
  /** Name of the format; found from the columns unless given. */
  readonly format?: string | undefined;
  /** Requests taken from the file's beginning. */
  readonly limit?: number | undefined;
  /** Longer prompts are cut to this many tokens. */
  readonly clipPrompt?: number | undefined;
}

/** A trace and what became of its file. */
export interface LoadedTrace {
  readonly trace: Trace;
  /** Name of the format. */
  readonly format: string;
  readonly requests: number;
  /** From the first arrival to the last, seconds; NaN for lengths alone. */
  readonly seconds: number;
  /** Failed requests that were left out. */
  readonly leftOut: number;
  /** Prompts that were cut. */
  readonly clipped: number;
}

/** Hexadecimal digits of a trace's key: 64 bits of a SHA-256. */
const KEY_DIGITS = 16;

/**
 * Reads the trace file that the user named.
 * @throws FileError when it cannot be read; ConfigError with the problems of its lines
 */
export async function loadTrace(
  fs: FileSystem,
  cwd: string,
  name: string,
  options: TraceOptions,
): Promise<LoadedTrace> {
  return readTrace(await readNamed(fs, cwd, name), name, options);
}

/**
 * Reads the text of a trace file.
 * @param file the file as errors name it
 * @throws ConfigError with the problems found, at most ten and how many more
 */
export function readTrace(text: string, file: string, options: TraceOptions): LoadedTrace {
  const lines = linesOf(text);
  const opening = lines.next();
  if (opening.done) return refuse(file, `${file}: empty (a header and rows, or JSON lines)`);
  const columns = columnsOf(opening.value, file);
  const format = formatOf(columns, file, options);
  const problems = new Problems(file);
  const rows = new TraceRows(format, problems, {
    needsInstants: options.use === "replay",
    clipPrompt: options.clipPrompt ?? Infinity,
    hasPrefixHits: columns.includes(OPTIONAL_COLUMNS.prefixHitTokens),
    hasPriority: columns.includes(OPTIONAL_COLUMNS.priority),
  });
  const limit = options.limit ?? Infinity;
  const isJson = startsObject(opening.value.text);
  const read = isJson ? jsonReader(rows, problems) : csvReader(columns, rows, problems);
  if (isJson) read(opening.value);
  for (const line of lines) {
    if (rows.count >= limit) break;
    read(line);
  }
  problems.refuse();
  if (rows.count === 0)
    return refuse(
      file,
      rows.leftOut > 0
        ? `${file}: no request: all ${rows.leftOut} of them failed (0 in ${format.outputTokens})`
        : `${file}: no request (at least one row)`,
    );
  const key = createHash("sha256")
    .update(JSON.stringify([options.use, format.name, options.limit ?? null, options.clipPrompt ?? null]))
    .update(text)
    .digest("hex")
    .slice(0, KEY_DIGITS);
  const trace = rows.take(key);
  return {
    trace,
    format: format.name,
    requests: rows.count,
    seconds: trace.arrivedAt === null ? NaN : lastInstant(trace) / 1e9,
    leftOut: rows.leftOut,
    clipped: rows.clipped,
  };
}

function refuse(file: string, message: string): never {
  throw new ConfigError([{ key: file, message }]);
}

const startsObject = (line: string): boolean => line.trimStart().startsWith("{");

/** The header's cells, or the keys of the first JSON object. */
function columnsOf({ text, number }: Line, file: string): readonly string[] {
  if (startsObject(text)) {
    const { values, problem } = valuesOf(text);
    return values ? Object.keys(values) : refuse(file, `${file}:${number}: ${problem}`);
  }
  const { cells, problem } = cellsOf(text);
  if (!cells) return refuse(file, `${file}:${number}: ${problem}`);
  const names = cells.map((cell) => cell.trim());
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  return twice === undefined ? names : refuse(file, `${file}:${number}: duplicate column: ${show(twice)}`);
}

/** The columns that a format must have for that use. */
const neededOf = (
  { arrival, promptTokens, outputTokens }: TraceFormat,
  use: TraceOptions["use"],
): string[] =>
  use === "replay" && arrival ? [arrival.column, promptTokens, outputTokens] : [promptTokens, outputTokens];

/** The format that was asked for, or whose columns the file has; its missing columns are told. */
function formatOf(columns: readonly string[], file: string, { format, use }: TraceOptions): TraceFormat {
  const names = TRACE_FORMATS.map(({ name }) => name);
  const asked = TRACE_FORMATS.find(({ name }) => name === format);
  if (format !== undefined && !asked)
    return refuse(
      "--trace-format",
      `invalid --trace-format: ${show(format)} (one of: ${names.join(", ")})${hint(format, names)}`,
    );
  const missing = (candidate: TraceFormat): string[] =>
    neededOf(candidate, use).filter((column) => !columns.includes(column));
  const present = (candidate: TraceFormat): number =>
    neededOf(candidate, use).length - missing(candidate).length;
  const chosen =
    asked ??
    [...TRACE_FORMATS].sort((a, b) => missing(a).length - present(a) - missing(b).length + present(b))[0];
  const has = `${file} has: ${columns.slice(0, 12).map(show).join(", ")}${columns.length > 12 ? ", …" : ""}`;
  if (!asked && present(chosen) === 0) {
    const known = TRACE_FORMATS.map((one) => `${one.name}: ${neededOf(one, use).join(", ")}`);
    return refuse(file, `unknown trace format: ${has} (one of: ${known.join("; ")})`);
  }
  const lacking = missing(chosen);
  if (lacking.length > 0)
    throw new ConfigError(
      lacking.map((column) => ({
        key: file,
        message: `${file}:1: missing column: ${column} (${chosen.name}; ${has})`,
      })),
    );
  if (use === "replay" && chosen.arrival === null)
    return refuse(file, `${file}: no instants: ${chosen.name} files list lengths (use --lengths-from)`);
  return chosen;
}

type ReadLine = (line: Line) => void;

function csvReader(columns: readonly string[], rows: TraceRows, problems: Problems): ReadLine {
  const places = new Map(columns.map((name, i) => [name, i]));
  let cells: readonly string[] = [];
  const cell = (column: string): string => cells[places.get(column)!].trim();
  return ({ text, number, isOpen }) => {
    const found = cellsOf(text);
    if (!found.cells) problems.add(number, found.problem!);
    else if (found.cells.length !== columns.length)
      problems.add(
        number,
        `${found.cells.length} cells (${columns.length}, as in the header)${isOpen ? ": the last line is cut off" : ""}`,
      );
    else {
      cells = found.cells;
      rows.add(number, cell);
    }
  };
}

function jsonReader(rows: TraceRows, problems: Problems): ReadLine {
  let values: Readonly<Record<string, unknown>> = {};
  const cell = (key: string): string | undefined => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value === undefined) return undefined;
    return typeof value === "number" ? String(value) : JSON.stringify(value);
  };
  return ({ text, number, isOpen }) => {
    const found = valuesOf(text);
    if (!found.values) problems.add(number, `${found.problem}${isOpen ? ": the last line is cut off" : ""}`);
    else {
      values = found.values;
      rows.add(number, cell);
    }
  };
}
