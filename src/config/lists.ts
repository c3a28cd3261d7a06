/**
 * Number lists of the command line: `a,b,c`, `start:end:step`, `start:end:xfactor` and `8,16,...,512`.
 *
 * Decimals are added as the integers they are (0.1 as 1 of 10⁻¹), so that 0.1:0.9:0.1 gives exactly nine
 * values, with 0.3 and not 0.30000000000000004, and the end is reached or not without any tolerance.
 */
import { isDecimal } from "../core/numbers/decimal.js";
import { ConfigError } from "../core/errors.js";
import { cut, show } from "./telling.js";

/** Longest list. */
export const MOST_VALUES = 10_000;
const TOO_MANY = `more than ${MOST_VALUES} values`;
const FORMS = "a list is a,b,c or start:end:step or start:end:x2 or 8,16,...,512";
/** Longest number read, in characters. */
const LONGEST_NUMBER = 40;
/** Greatest power of ten read: beyond the range of a double, and small work for BigInt. */
const GREATEST_POWER = 400;
/** A product of factors counts as the end of a geometric list within this share of it. */
const ROUNDING = 1e-9;
const ELLIPSIS = new Set(["...", "…"]);

/** A decimal number as it was written: `digits`·10^−`decimals`. */
interface Decimal {
  readonly value: number;
  readonly digits: bigint;
  readonly decimals: number;
}

/**
 * Reads a plain decimal number, or gives the text back: a wrong value is best shown as it was typed.
 */
export function numberOrText(text: string): number | string {
  const value = isDecimal(text.trim()) ? Number(text) : NaN;
  return Number.isFinite(value) ? value + 0 : text;
}

/**
 * The numbers of a list, in its order.
 * @param flag names the list in errors, e.g. `--sizes`
 * @throws ConfigError for a list that is empty, longer than 10,000, descending where it is a range, or not of numbers
 */
export function parseList(text: string, flag: string): number[] {
  const fail = (problem: string): never => {
    throw new ConfigError([{ key: flag, message: `invalid ${flag}: ${show(text)} (${problem})` }]);
  };
  const read = (part: string): Decimal => {
    const [mantissa, exponent = "0"] = part.toLowerCase().split("e");
    const power = Number(exponent);
    const isNumber = part.length <= LONGEST_NUMBER && isDecimal(part) && Math.abs(power) <= GREATEST_POWER;
    if (!isNumber || !Number.isFinite(Number(part)))
      return fail(part === "" ? `a number is missing; ${FORMS}` : `${cut(part)} is not a number; ${FORMS}`);
    const [whole, fraction = ""] = mantissa.split(".");
    const decimals = fraction.length - power;
    const digits = BigInt(whole + fraction) * 10n ** BigInt(Math.max(0, -decimals));
    return { value: Number(part) + 0, digits, decimals: Math.max(0, decimals) };
  };

  const parts = text.split(",").map((part) => part.trim());
  if (text.trim() === "") return fail(`empty; ${FORMS}`);
  const ellipsis = parts.findIndex((part) => ELLIPSIS.has(part));
  if (ellipsis >= 0) {
    if (ellipsis < 2 || ellipsis !== parts.length - 2)
      return fail("an ellipsis stands between the first two terms and the last, as in 8,16,...,512");
    const terms = parts.filter((_, i) => i !== ellipsis).map(read);
    return continued(terms.slice(0, -1), terms.at(-1)!, fail);
  }
  const values: number[] = [];
  for (const part of parts) {
    values.push(...(part.includes(":") ? range(part, read, fail) : [read(part).value]));
    if (values.length > MOST_VALUES) return fail(TOO_MANY);
  }
  return values;
}

/** What a piece of a list begins with when it is of numbers. */
const NUMERIC = /^(?:[-+.\d]|…|$)/;

/**
 * The values of a list whose parts may be words too (`none,8,16,...,64`, `fcfs,lifo`), in its order.
 * @throws ConfigError as `parseList`, or when a value stands there twice
 */
export function parseValues(text: string, flag: string): (number | string)[] {
  const fail = (problem: string): never => {
    throw new ConfigError([{ key: flag, message: `invalid ${flag}: ${show(text)} (${problem})` }]);
  };
  const values: (number | string)[] = [];
  let numbers: string[] = [];
  const flush = (): void => {
    if (numbers.length > 0) values.push(...parseList(numbers.join(","), flag));
    numbers = [];
    if (values.length > MOST_VALUES) fail(TOO_MANY);
  };
  for (const piece of text.split(",").map((one) => one.trim()))
    if (NUMERIC.test(piece)) numbers.push(piece);
    else {
      flush();
      values.push(piece);
    }
  flush();
  const seen = new Set<number | string>();
  const twice = values.find((value) => seen.size === seen.add(value).size);
  return twice === undefined ? values : fail(`${show(twice)} twice; each value once`);
}

type Fail = (problem: string) => never;

/** `start:end:step` or `start:end:xfactor`. */
function range(part: string, read: (part: string) => Decimal, fail: Fail): number[] {
  const fields = part.split(":").map((field) => field.trim());
  if (fields.length !== 3) return fail("a range is start:end:step, as in 0.1:0.9:0.1, or start:end:x2");
  const start = read(fields[0]);
  const end = read(fields[1]);
  if (end.value < start.value) return fail("descending: the end is below the start");
  const factor = /^[x×*](.*)$/.exec(fields[2]);
  if (!factor) return arithmetic(start, end, read(fields[2]), fail);
  const ratio = read(factor[1].trim()).value;
  if (ratio <= 1) return fail("the factor must be above 1");
  if (start.value <= 0) return fail("a list by factors starts above 0");
  return geometric(start.value, ratio, end.value, fail);
}

/** start, start + step, … up to the end, each exact. */
function arithmetic(start: Decimal, end: Decimal, step: Decimal, fail: Fail): number[] {
  if (step.digits === 0n) return fail("the step is zero");
  if (step.digits < 0n) return fail("descending: the step is negative");
  const decimals = Math.max(start.decimals, end.decimals, step.decimals);
  const scaled = (number: Decimal): bigint => number.digits * 10n ** BigInt(decimals - number.decimals);
  const count = (scaled(end) - scaled(start)) / scaled(step) + 1n;
  if (count > MOST_VALUES) return fail(TOO_MANY);
  return Array.from({ length: Number(count) }, (_, i) =>
    Number(`${scaled(start) + BigInt(i) * scaled(step)}e-${decimals}`),
  );
}

/** start, start·ratio, … up to the end, to twelve digits; the end itself where a term meets it. */
function geometric(start: number, ratio: number, end: number, fail: Fail): number[] {
  const values: number[] = [];
  for (let value = start; value <= end * (1 + ROUNDING); value *= ratio) {
    if (value >= end * (1 - ROUNDING)) values.push(end);
    else values.push(Number.isInteger(value) ? value : Number(value.toPrecision(12)));
    if (values.length > MOST_VALUES) return fail(TOO_MANY);
  }
  return values;
}

/** The list that begins with `terms` and reaches `end`: by a ratio if one does, else by a difference. */
function continued(terms: readonly Decimal[], end: Decimal, fail: Fail): number[] {
  const [first, second] = terms as [Decimal, Decimal];
  if (second.value <= first.value || end.value < terms.at(-1)!.value)
    return fail("descending: a list with an ellipsis ascends");
  const fits = (values: readonly number[]): boolean =>
    values.at(-1) === end.value &&
    terms.every((term, i) => Math.abs(values[i] - term.value) <= ROUNDING * Math.abs(term.value));
  if (first.value > 0) {
    const byRatio = geometric(first.value, second.value / first.value, end.value, () => [] as never);
    if (fits(byRatio)) return byRatio;
  }
  const decimals = Math.max(first.decimals, second.decimals);
  const scaled = (number: Decimal): bigint => number.digits * 10n ** BigInt(decimals - number.decimals);
  const difference = { value: NaN, digits: scaled(second) - scaled(first), decimals };
  const byDifference = arithmetic(first, end, difference, fail);
  return fits(byDifference)
    ? byDifference
    : fail("the pattern of the first two terms does not reach the last");
}
