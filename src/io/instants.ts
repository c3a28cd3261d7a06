/**
 * Instants as traces write them, read as whole nanoseconds: decimals in some unit, and wall-clock times with up to nine
 * digits. Date keeps three digits, and a double cannot hold the nanoseconds since 1970;
 * so an instant is two whole numbers until the first one is subtracted.
 */

/** An instant: whole seconds since some start, and nanoseconds in [0, 1e9). */
export interface Instant {
  seconds: number;
  nanos: number;
}

/** Reads a text into `into`; false when it is no instant. */
export type ReadInstant = (text: string, into: Instant) => boolean;

const NANOS = 1e9;
const NANOS_BIG = 1_000_000_000n;
const DECIMAL = /^(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;
/** Digits that a double holds exactly. */
const EXACT_DIGITS = 15;
/** Longest decimal read. */
const LONGEST = 60;

/** A decimal, not negative, whose unit is 10^digits ns; what is finer than 1 ns is rounded. */
function readDecimal(text: string, unitDigits: number, into: Instant): boolean {
  const found = text.length <= LONGEST ? DECIMAL.exec(text) : null;
  if (!found) return false;
  const [, whole, fraction = "", exponent = "0"] = found;
  const scale = unitDigits - fraction.length + Number(exponent);
  if (scale >= 0 && whole.length + unitDigits + Number(exponent) <= EXACT_DIGITS) {
    let value = Number(whole + fraction);
    for (let i = 0; i < scale; i++) value *= 10;
    into.seconds = Math.floor(value / NANOS);
    into.nanos = value - into.seconds * NANOS;
    return true;
  }
  let value = BigInt(whole + fraction);
  if (scale >= 0) value *= 10n ** BigInt(scale);
  else {
    const divisor = 10n ** BigInt(-scale);
    value = (2n * value + divisor) / (2n * divisor);
  }
  into.seconds = Number(value / NANOS_BIG);
  into.nanos = Number(value % NANOS_BIG);
  return Number.isSafeInteger(into.seconds);
}

/** Units of decimal instants: the nanoseconds of each are a power of ten, and its digits. */
const UNIT_DIGITS = { s: 9, ms: 6, us: 3, ns: 0 } as const;
export type Unit = keyof typeof UNIT_DIGITS;
export const UNITS = Object.keys(UNIT_DIGITS) as readonly Unit[];

/** `12.5`: decimals in that unit. */
export const decimalsIn =
  (unit: Unit): ReadInstant =>
  (text, into) =>
    readDecimal(text, UNIT_DIGITS[unit], into);

const WALL_CLOCK =
  /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?$/;

/** Midnight, UTC, of a day of the calendar; NaN where there is none. */
function midnight(year: number, month: number, day: number): number {
  // Date.UTC would take the years before 100 for those of the twentieth century.
  const date = new Date(0);
  const ms = date.setUTCFullYear(year, month - 1, day);
  // What is no day of its month is carried over into another.
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? ms : NaN;
}

/** `2023-11-16 18:15:46.6805900`, with an offset from UTC or none. */
export const readWallClock: ReadInstant = (text, into) => {
  const found = WALL_CLOCK.exec(text);
  if (!found) return false;
  const ms = midnight(Number(found[1]), Number(found[2]), Number(found[3]));
  const [hour, minute, second] = [Number(found[4]), Number(found[5]), Number(found[6])];
  if (Number.isNaN(ms) || hour > 23 || minute > 59 || second > 59) return false;
  const sign = found[8] === "-" ? -1 : 1;
  const offset = found[8] === undefined ? 0 : sign * (Number(found[9]) * 3600 + Number(found[10]) * 60);
  into.seconds = ms / 1000 + hour * 3600 + minute * 60 + second - offset;
  into.nanos = Number((found[7] ?? "").padEnd(9, "0"));
  return true;
};
