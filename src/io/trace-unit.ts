/** The unit of a trace's instants: its format's, the one that was asked for, or what the first rows say. */
import { decimalsIn, readWallClock, type Unit } from "./instants.js";
import { hasFraction, type InstantReader } from "./trace-rows.js";
import type { ArrivalColumn } from "./trace-format.js";

const NAMES: Readonly<Record<Unit, string>> = {
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
};

/** How instants of that unit are read. */
export function instantsIn(unit: Unit | "clock", areWhole = false): InstantReader {
  if (unit === "clock")
    return { read: readWallClock, allowed: "a time such as 2023-11-16 18:15:46.6805900", areWhole };
  return { read: decimalsIn(unit), allowed: `a number of ${NAMES[unit]} at least 0`, areWhole };
}

/** Rows that are looked at before whole numbers are taken for ms. */
export const ROWS_AHEAD = 1000;

/** The unit of instants whose format leaves it open: a fraction means seconds, whole numbers ms. */
export const unitOf = (texts: readonly (string | undefined)[]): Unit =>
  texts.some((text) => text !== undefined && hasFraction(text)) ? "s" : "ms";

/** Whether the unit is to be found from the rows. */
export const isOpen = ({ unit }: ArrivalColumn, asked: Unit | undefined): boolean =>
  unit === "s or ms" && asked === undefined;
