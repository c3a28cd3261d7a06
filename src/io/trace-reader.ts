/**
 * Reads a recorded trace: finds its format by its columns, checks every row, and names the result by what it holds.
 * Every problem is told with file, line and column, the first ten in full.
 */
import { resolve } from "node:path";
import { lastInstant, type Trace } from "../core/workload/trace.js";
import { FileError, type FileSystem } from "./files.js";
import type { Unit } from "./instants.js";
import type { Bytes } from "./packed-bytes.js";
import type { TraceOptions } from "./trace-options.js";
import { Problems, refuse } from "./trace-problems.js";
import { Reading } from "./trace-reading.js";
import { type Limits, LIMITS, piecesOf } from "./trace-source.js";

export { TRACE_FORMATS } from "./trace-detection.js";
export type { TraceOptions } from "./trace-options.js";

/** A trace and what became of its file. */
export interface LoadedTrace {
  readonly trace: Trace;
  /** Name of the format. */
  readonly format: string;
  /** Unit of its instants; undefined of times of day, and of lengths alone. */
  readonly unit?: Unit;
  readonly requests: number;
  /** From the first arrival to the last, seconds; NaN for lengths alone. */
  readonly seconds: number;
  /** Failed requests that were left out. */
  readonly leftOut: number;
  /** Prompts that were cut. */
  readonly clipped: number;
  /** What its reader must know. */
  readonly notes: readonly string[];
}

/**
 * Reads the trace file that the user named; `-` is what is piped in.
 * @throws FileError when it cannot be read; ConfigError with the problems of its lines
 */
export async function loadTrace(
  { fs, cwd, stdin }: Place,
  name: string,
  options: TraceOptions,
): Promise<LoadedTrace> {
  const file = shownAs(name);
  try {
    const bytes = name === PIPED ? stdin?.() : fs.readBytes(resolve(cwd, name));
    if (!bytes) throw new FileError("read", file, "it is a terminal (pipe a file into it)");
    return await readTrace(bytes, file, options);
  } catch (error) {
    throw error instanceof FileError ? new FileError("read", file, error.reason) : error;
  }
}

/** The name of what is piped in. */
const PIPED = "-";

/** A file as its reader is told of it. */
export const shownAs = (name: string): string => (name === PIPED ? "stdin" : name);

/** Where files are. */
interface Place {
  readonly fs: FileSystem;
  readonly cwd: string;
  readonly stdin?: (() => Bytes | undefined) | undefined;
}

/** Above this rate, per second, a unit is probably another. */
const HIGHEST_RATE = 1000;

/**
 * Reads the bytes of a trace file, and no more of them than it needs.
 * @param file the file as errors name it
 * @throws ConfigError with the problems found, at most ten and how many more
 */
export async function readTrace(
  bytes: Bytes,
  file: string,
  options: TraceOptions,
  limits: Limits = LIMITS,
): Promise<LoadedTrace> {
  const problems = new Problems(file);
  const reading = new Reading(file, options, limits, problems);
  for await (const piece of piecesOf(bytes, file, limits)) if (!reading.take(piece)) break;
  const { format, unit, rows, notes } = reading.end();
  const taken = problems.count === 0 ? rows.take() : undefined;
  problems.refuse();
  if (!taken) return refuse(file, `${file}: ${reading.whyEmpty()}`);
  const { trace, clipped, wereSorted } = taken;
  const seconds = trace.arrivedAt === null ? NaN : lastInstant(trace) / 1e9;
  const requests = trace.promptTokens.length;
  const rate = requests / seconds;
  return {
    trace,
    format: format.name,
    ...(unit && trace.arrivedAt && { unit }),
    requests,
    seconds,
    leftOut: rows.leftOut,
    clipped,
    notes: [
      ...(unit && seconds > 0 && rate > HIGHEST_RATE
        ? [`${Number(rate.toPrecision(4))} requests per s: are its instants in ${unit}? (--trace-unit)`]
        : []),
      ...(options.sort === true && wereSorted
        ? ["its rows were not in the order of their instants, and have been put into it"]
        : []),
      ...notes,
    ],
  };
}
