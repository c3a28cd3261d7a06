/** Which format a file has: told by its columns or keys, or asked for and held to them. */
import { ConfigError } from "../core/errors.js";
import { hint } from "../config/suggest.js";
import { show } from "../config/telling.js";
import { refuse } from "./trace-problems.js";
import type { TraceFormat } from "./trace-format.js";
import type { Use } from "./trace-options.js";
import * as registered from "./traces/index.js";

export const TRACE_FORMATS: readonly TraceFormat[] = Object.values(registered);

const MOST_SHOWN = 12;

/** The columns that a file of a format must have for that use. */
export function neededOf({ marks, arrival, runsOf }: TraceFormat, use: Use): string[] {
  const isNeeded = use === "replay" && arrival && arrival.mayLack !== true && !runsOf;
  return isNeeded && !marks.includes(arrival.column) ? [arrival.column, ...marks] : [...marks];
}

/**
 * The format that was asked for, or the one whose columns the file has.
 * @param columns of the header, or keys of the first JSON object
 * @param asked the name of a format
 * @throws ConfigError with what the file lacks
 */
export function formatOf(
  columns: readonly string[],
  { file, line, use, asked }: { file: string; line: number; use: Use; asked: string | undefined },
): TraceFormat {
  const names = TRACE_FORMATS.map(({ name }) => name);
  const given = TRACE_FORMATS.find(({ name }) => name === asked);
  if (asked !== undefined && !given)
    return refuse(
      "--trace-format",
      `invalid --trace-format: ${show(asked)} (one of: ${names.join(", ")})${hint(asked, names)}`,
    );
  const missing = (format: TraceFormat): string[] =>
    neededOf(format, use).filter((column) => !columns.includes(column));
  const present = (format: TraceFormat): number => neededOf(format, use).length - missing(format).length;
  const isAnothers = ({ lacks = [] }: TraceFormat): boolean =>
    lacks.some((column) => columns.includes(column));
  const candidates = given ? [given] : TRACE_FORMATS.filter((format) => !isAnothers(format));
  const distance = (format: TraceFormat): number => {
    const lacking = missing(format).length;
    if (present(format) === 0) return Infinity;
    return lacking - present(format) - (lacking === 0 ? columns.length : 0);
  };
  const chosen = candidates.reduce((best, one) => (distance(one) < distance(best) ? one : best));
  const more = columns.length > MOST_SHOWN ? ", …" : "";
  const has = `${file} has: ${columns.slice(0, MOST_SHOWN).map(show).join(", ")}${more}`;
  const lacking = missing(chosen);
  if (lacking.length > 0) {
    const told = TRACE_FORMATS.find(({ without }) => without?.marks.every((mark) => columns.includes(mark)));
    if (told && (!given || given === told))
      return refuse(file, `${file}: no requests in it: ${told.without!.instead}`);
  }
  if (!given && present(chosen) === 0) {
    const known = TRACE_FORMATS.map((one) => `${one.name}: ${neededOf(one, use).join(", ")}`);
    return refuse(file, `unknown trace format: ${has} (one of: ${known.join("; ")})`);
  }
  if (lacking.length > 0)
    throw new ConfigError(
      lacking.map((column) => ({
        key: file,
        message: `${file}:${line}: missing column: ${column} (${chosen.name}; ${has})`,
      })),
    );
  if (isAnothers(chosen)) {
    const theirs = chosen.lacks!.filter((column) => columns.includes(column));
    return refuse(file, `${file}:${line}: not ${chosen.name}: it has ${theirs.join(", ")} (${has})`);
  }
  return chosen;
}
