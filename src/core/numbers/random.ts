/**
 * Random numbers: one stream for each (seed, trial, purpose), so that what one purpose draws never
 * moves another's numbers (common random numbers across policies, windows and worker counts).
 *
 * The generator is Alea (J. Baagøe, multiply-with-carry), keyed by a string. Its seeding is seedrandom's; its
 * one line of recurrence stands here: the same numbers. Samplers are ziggurats (Marsaglia & Tsang 2000, with
 * Doornik's 2005 use of separate bits for layer and position): they need no logarithm in about 99 % of draws and
 * use only arithmetic that has the same bits on every JavaScript engine.
 */
import alea from "seedrandom/lib/alea.js";
import { exp, log } from "./arithmetic.js";

const LAYERS = 256;

/** Right edges x and densities f of a ziggurat's layers; x[0] is the base layer's virtual width. */
interface Layers {
  readonly x: Float64Array;
  readonly f: Float64Array;
}

function layers(
  tail: number,
  area: number,
  density: (x: number) => number,
  inverse: (y: number) => number,
): Layers {
  const x = new Float64Array(LAYERS + 1);
  const f = new Float64Array(LAYERS + 1);
  x[0] = area / density(tail);
  x[1] = tail;
  for (let i = 2; i < LAYERS; i++) x[i] = inverse(area / x[i - 1] + density(x[i - 1]));
  x[LAYERS] = 0;
  for (let i = 0; i <= LAYERS; i++) f[i] = density(x[i]);
  return { x, f };
}

const EXPONENTIAL_TAIL = 7.69711747013104972;
const NORMAL_TAIL = 3.6541528853610088;
const exponentialDensity = (x: number): number => exp(-x);
const normalDensity = (x: number): number => exp(-0.5 * x * x);
const EXPONENTIAL = layers(EXPONENTIAL_TAIL, 0.0039496598225815571993, exponentialDensity, (y) => -log(y));
const NORMAL = layers(NORMAL_TAIL, 0.00492867323399, normalDensity, (y) => Math.sqrt(-2 * log(y)));

const MULTIPLIER = 2_091_639;
/** 2^-32 */
const STEP = 2.3283064365386963e-10;
/** 2^-53 */
const FINE_STEP = 1.1102230246251565e-16;

/** The generator's state: plain data, so that a fork of a simulation can go on from it. */
export type StreamState = Readonly<{ c: number; s0: number; s1: number; s2: number }>;

/** One stream of random numbers. */
export class Stream {
  /** The carry, a whole number, and the last three numbers. */
  private readonly at = new Float64Array(4);
  /** Where `easyExponentials` has stopped: layer and value. */
  private readonly hard = new Float64Array(2);

  constructor(key: string, from?: StreamState) {
    const { c, s0, s1, s2 } = from ?? alea(key, { state: true }).state();
    this.keep(c, s0, s1, s2);
  }

  private keep(c: number, s0: number, s1: number, s2: number): void {
    const { at } = this;
    at[0] = c;
    at[1] = s0;
    at[2] = s1;
    at[3] = s2;
  }

  /** Uniform on [0, 1), in steps of 2^-32: enough to choose among listed values. */
  uniform(): number {
    const { at } = this;
    const t = MULTIPLIER * at[1] + at[0] * STEP;
    const c = Math.floor(t);
    at[0] = c;
    at[1] = at[2];
    at[2] = at[3];
    return (at[3] = t - c);
  }

  /** Uniform on [0, 1), in steps of 2^-53. */
  private fine(): number {
    const high = this.uniform();
    return high + Math.floor(this.uniform() * 0x200000) * FINE_STEP;
  }

  /** Exponential with mean 1. */
  exponential(): number {
    const { x } = EXPONENTIAL;
    const bits = this.fine() * LAYERS;
    const layer = bits | 0;
    const value = (bits - layer) * x[layer];
    return value < x[layer + 1] ? value : this.exponentialBeyond(layer, value);
  }

  /** What comes of a position that its layer does not hold for certain: of one draw in ninety. */
  private exponentialBeyond(layer: number, value: number): number {
    const { x, f } = EXPONENTIAL;
    let beyond = 0;
    for (;;) {
      if (layer === 0)
        beyond += EXPONENTIAL_TAIL; // Memoryless: past the last edge the law starts again.
      else {
        const height = f[layer] + this.fine() * (f[layer + 1] - f[layer]);
        if (height < exponentialDensity(value)) return beyond + value;
      }
      const bits = this.fine() * LAYERS;
      layer = bits | 0;
      value = (bits - layer) * x[layer];
      if (value < x[layer + 1]) return beyond + value;
    }
  }

  /**
   * Writes the next `count` uniform numbers to `into`: the same as one by one. No number waits for the
   * one before: the product alone nearly always has the carry, and what the last carry adds to it makes one more in
   * 4,000 steps. All is exact.
   */
  uniforms(into: Float64Array, count: number): void {
    const { at } = this;
    let c = at[0];
    let s0 = at[1];
    let s1 = at[2];
    let s2 = at[3];
    for (let i = 0; i < count; i++) {
      const product = MULTIPLIER * s0;
      let carry = Math.floor(product);
      let next = product - carry + c * STEP;
      if (next >= 1) {
        next -= 1;
        carry += 1;
      }
      c = carry;
      s0 = s1;
      s1 = s2;
      into[i] = s2 = next;
    }
    this.keep(c, s0, s1, s2);
  }

  /** Writes the next `count` exponential numbers, as `uniforms`. */
  exponentials(into: Float64Array, count: number): void {
    let i = 0;
    while (i < count) {
      i = this.easyExponentials(into, i, count);
      if (i < count) into[i++] = this.exponentialBeyond(this.hard[0], this.hard[1]);
    }
  }

  /**
   * The exponential numbers from the i-th on, up to the first that its layer does not hold for certain: that one is
   * left in `hard`. Its steps are those of `uniforms`.
   */
  private easyExponentials(into: Float64Array, i: number, count: number): number {
    const { x } = EXPONENTIAL;
    const { at } = this;
    let c = at[0];
    let s0 = at[1];
    let s1 = at[2];
    let s2 = at[3];
    for (; i < count; i++) {
      // Two numbers, as in `fine`.
      const first = MULTIPLIER * s0;
      let carry = Math.floor(first);
      let high = first - carry + c * STEP;
      if (high >= 1) {
        high -= 1;
        carry += 1;
      }
      const second = MULTIPLIER * s1;
      c = Math.floor(second);
      let low = second - c + carry * STEP;
      if (low >= 1) {
        low -= 1;
        c += 1;
      }
      s0 = s2;
      s1 = high;
      s2 = low;
      const bits = (high + Math.floor(low * 0x200000) * FINE_STEP) * LAYERS;
      const layer = bits | 0;
      const value = (bits - layer) * x[layer];
      if (value >= x[layer + 1]) {
        this.hard[0] = layer;
        this.hard[1] = value;
        break;
      }
      into[i] = value;
    }
    this.keep(c, s0, s1, s2);
    return i;
  }

  /** Normal with mean 0 and standard deviation 1. */
  normal(): number {
    const { x, f } = NORMAL;
    for (;;) {
      const bits = this.fine() * (2 * LAYERS);
      const whole = bits | 0;
      const layer = whole >> 1;
      const sign = whole & 1 ? -1 : 1;
      const value = (bits - whole) * x[layer];
      if (value < x[layer + 1]) return sign * value;
      if (layer === 0) return sign * this.normalTail();
      const height = f[layer] + this.fine() * (f[layer + 1] - f[layer]);
      if (height < normalDensity(value)) return sign * value;
    }
  }

  /** A stream that goes on as this one will. */
  copy(): Stream {
    return new Stream("", this.state());
  }

  /** The state from which `new Stream(key, state)` goes on exactly where this stream stands. */
  state(): StreamState {
    const [c, s0, s1, s2] = this.at;
    return { c, s0, s1, s2 };
  }

  /** Marsaglia (1964): a normal variate beyond the last edge. */
  private normalTail(): number {
    for (;;) {
      const x = -log(1 - this.fine()) / NORMAL_TAIL;
      const y = -log(1 - this.fine());
      if (y + y > x * x) return NORMAL_TAIL + x;
    }
  }
}

/**
 * The stream of one purpose in one trial.
 * @param seed the study's seed, a safe integer
 * @param trial number of the trial, from 1
 * @param purpose what the numbers are for, e.g. `arrivals`, `prompt`, `output`, `service/0`
 */
export const stream = (seed: number, trial: number, purpose: string): Stream =>
  new Stream(`${seed}/${trial}/${purpose}`);
