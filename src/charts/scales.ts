/**
 * Axes that say what they do: linear from zero; linear cut above zero when all values lie close together;
 * logarithmic when the positive values span more than twentyfold. The two that bend the eye's
 * comparison are named in the axis title. Domains and ticks are worked out here, so that they do not
 * depend on a Vega version.
 */
import { log } from "../core/numbers/arithmetic.js";

/** A finished axis: scale, ticks, and the words that belong into its title ("" for none). */
export interface Scale {
  readonly type: "linear" | "log";
  readonly domain: readonly [number, number];
  /** Explicit ticks of a logarithmic axis; a linear one has `tickCount`. */
  readonly ticks?: readonly number[];
  readonly note: string;
}

const LOG_SPAN = 20;
/** An axis that is cut still covers this share of its largest value, so that rounding noise stays flat. */
const LEAST_SPAN = 0.05;

/** The scale of a measure. `values` decide, interval ends and references widen; `zero` forces a start at 0. */
export function measureScale(
  givenValues: readonly number[],
  givenEnds: readonly number[],
  zero = false,
): Scale {
  const [values, ends] = [givenValues.map(flushed), givenEnds.map(flushed)];
  if (values.length === 0) return { type: "linear", domain: [0, 1], note: "" };
  const positive = values.filter((value) => value > 0);
  const lowest = lowestOf(values);
  if (!zero && lowest >= 0 && positive.length > 0) {
    const least = lowestOf(positive);
    if (highestOf(positive) > LOG_SPAN * least) return logScale(least, lowest === 0, values, ends);
  }
  return linearScale(values, ends, zero);
}

const flushed = (value: number): number =>
  Math.abs(value) < SMALLEST ? 0 : Math.max(-LARGEST, Math.min(LARGEST, value));

function linearScale(values: readonly number[], ends: readonly number[], zero: boolean): Scale {
  const least = lowestOf(values);
  const all = [...values, ...ends];
  let low = lowestOf(all);
  let high = highestOf(all);
  // An interval of a positive quantity may reach below zero; the axis does not.
  if (least >= 0) low = Math.max(low, 0);
  const cut = !zero && low > high / 2;
  if (cut) {
    const widen = Math.max(0, LEAST_SPAN * high - (high - low)) / 2 + 0.06 * (high - low);
    [low, high] = [low - widen, high + widen];
  } else {
    [low, high] = [Math.min(low, 0), Math.max(high, 0)];
    if (low === high) high = 1;
    const widen = 0.04 * (high - low);
    [low, high] = [low < 0 ? low - widen : 0, high > 0 ? high + widen : 0];
  }
  return { type: "linear", domain: [clean(low), clean(high)], note: cut ? ", not from 0" : "" };
}

function logScale(least: number, zeros: boolean, values: readonly number[], ends: readonly number[]): Scale {
  const greatest = highestOf(values);
  // Ends beyond a factor of four are cut off: near zero they would stretch the axis by decades.
  const low = lowestOf([least, ...ends.filter((end) => end >= least / 4)]);
  const high = highestOf([greatest, ...ends.filter((end) => end <= greatest * 4)]);
  const domain: [number, number] = [clean(low / (zeros ? 2 : 1.15)), clean(high * 1.15)];
  const note = zeros ? ", log scale, 0 at its foot" : ", log scale";
  return { type: "log", domain, ticks: logTicks(domain), note };
}

/** 1, 2, 5 per decade over one or two decades, else powers of ten, thinned to ten at most. */
function logTicks([low, high]: readonly [number, number]): number[] {
  const ratio = high / low;
  const steps = ratio <= 150 ? [1, 2, 5] : ratio <= 1500 ? [1, 3] : [1];
  const ticks: number[] = [];
  for (let decade = powerOfTenBelow(low); decade <= high; decade *= 10) {
    for (const step of steps)
      if (step * decade >= low && step * decade <= high) ticks.push(clean(step * decade));
  }
  const every = Math.ceil(ticks.length / 10);
  return ticks.filter((_, index) => index % every === 0);
}

/** Below this a value is drawn as 0: near the smallest number a margin rounds away, and a division by ten ends at zero. */
const SMALLEST = 1e-300;
/** What is larger is drawn there: a margin above the largest number is infinite, and Vega counts ticks up to it. */
const LARGEST = 1e300;

function powerOfTenBelow(value: number): number {
  let power = 1;
  while (power > value && power > SMALLEST) power /= 10;
  while (power * 10 <= value) power *= 10;
  return power;
}

// Not Math.min(...values): a long table would not fit on the stack.
const lowestOf = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
const highestOf = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

/** Twelve digits are enough for an axis, and hide the last bits of the arithmetic. */
const clean = (value: number): number => Number(value.toPrecision(12));

/**
 * The x axis of numbers: from 0 with `zero`, else what the data span, padded where points sit at its ends.
 * `ends` (of rules) widen it.
 */
export function positionScale(
  given: readonly number[],
  ends: readonly number[],
  kind: "linear" | "log2",
  zero: boolean,
): Scale {
  const values = given.map(flushed);
  const all = [...values, ...ends.map(flushed)];
  const [low, high] = [lowestOf(all), highestOf(all)];
  if (kind === "log2" && low > 0) {
    return {
      type: "log",
      domain: [clean(low / 1.08), clean(high * 1.08)],
      ticks: powersOrAll(values),
      note: "",
    };
  }
  if (zero && low >= 0 && high > 0) return { type: "linear", domain: [0, high], note: "" };
  const pad = low === high ? Math.abs(low) / 2 || 1 : (high - low) * 0.03;
  const ticks = isReadable(values, high - low) ? { ticks: values } : {};
  return { type: "linear", domain: [clean(low - pad), clean(high + pad)], ...ticks, note: "" };
}

/** Whether every value can carry its own label: few, short, and apart. */
function isReadable(values: readonly number[], span: number): boolean {
  const apart = values.every((value, index) => index === 0 || value - values[index - 1] >= span / 14);
  return values.length <= 12 && apart && values.every((value) => String(value).length <= 4);
}

/** All values of a log2 axis as ticks when they are few, else the powers of two among their span. */
function powersOrAll(values: readonly number[]): number[] {
  if (values.length <= 9) return [...values];
  const [low, high] = [lowestOf(values), highestOf(values)];
  let power = 1;
  while (power > low && power > SMALLEST) power /= 2;
  while (power < low) power *= 2;
  const ticks: number[] = [];
  for (; power <= high; power *= 2) ticks.push(power);
  return ticks;
}

/** Where a value stands between the ends of a domain, 0 to 1. */
export function fraction(value: number, { type, domain: [low, high] }: Scale): number {
  const inside = Math.min(high, Math.max(low, value));
  return type === "log" ? log(inside / low) / log(high / low) : (inside - low) / (high - low);
}
