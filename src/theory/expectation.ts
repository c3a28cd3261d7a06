/**
 * E[g(X)] of a whole number X >= 0 (a prompt or output length), from its survival function alone, so that
 * every length law of the simulator, heavy-tailed ones too, has its known answers without formulas of its own.
 *
 * Summation by parts: E[g(X)] = g(0) + sum over n >= 0 of P(X > n) (g(n + 1) - g(n)). The first terms are
 * summed as they stand. Further out P(X > n) is costly but mostly smooth, g is cheap but has steps (chunks):
 * there g is taken at every n, and P(X > n) from a cubic through four points of a stretch, halved until the
 * cubic meets the function at three more. So steps of the survival (caps, traces) are found and kept exact.
 */

/** A law of whole numbers, known by its survival function: non-increasing, in [0, 1]. */
export interface LengthLaw {
  /** P(X > n) for whole n >= 0. */
  survival(n: number): number;
}

/** Below this every term is summed as it stands. */
const TERMWISE = 1024;
/** Stretches up to this length too. */
const SHORT = 32;
/** From here on g is taken at the ends of a stretch only: its steps are small against n. */
const COARSE = 16777216;
/** X is taken to be at most this. */
const LARGEST = 4503599627370496;
/** A cubic must meet the survival function to this relative accuracy. */
const TOLERANCE = 1e-9;
/** The sum ends when n P(X > n) is below this share of E[X]. */
const NEGLIGIBLE = 1e-9;

/**
 * E[g(X)] for g of at most linear growth, to 1e-6 relative or better; g is called with whole numbers. The
 * sum ends where P(X > n)·n is below 1e-9 of the mean, or at X = 2^52. Some 0.1 s for a tail that reaches 1e7.
 */
export function expectation(law: LengthLaw, g: (n: number) => number): number {
  let total = g(0);
  let mean = 0;
  for (let n = 0, value = total; n < TERMWISE; n++) {
    const beyond = law.survival(n);
    if (beyond <= 0) return total;
    const next = g(n + 1);
    total += beyond * (next - value);
    mean += beyond;
    value = next;
  }
  for (let n = TERMWISE; n < LARGEST; n *= 2) {
    const beyond = law.survival(n);
    if (beyond * n <= NEGLIGIBLE * mean) break;
    total += stretch(law, g, n, 2 * n);
    mean += n * law.survival(2 * n); // from below: enough to know what is negligible
  }
  return total;
}

/** The sum of P(X > n) (g(n + 1) - g(n)) over low <= n < high. */
function stretch(law: LengthLaw, g: (n: number) => number, low: number, high: number): number {
  const last = high - 1;
  const s0 = law.survival(low);
  const s3 = law.survival(last);
  if (s0 === s3) return s0 * (g(high) - g(low)); // constant in between, as it never rises
  if (high - low <= SHORT) return termwise(law, g, low, high);

  const x1 = low + Math.floor((last - low) / 3);
  const x2 = last - (x1 - low);
  const s1 = law.survival(x1);
  const s2 = law.survival(x2);
  // Newton's divided differences
  const d1 = (s1 - s0) / (x1 - low);
  const d12 = (s2 - s1) / (x2 - x1);
  const d2 = (d12 - d1) / (x2 - low);
  const d23 = ((s3 - s2) / (last - x2) - d12) / (last - x1);
  const d3 = (d23 - d2) / (last - low);
  const cubic = (n: number) => s0 + (n - low) * (d1 + (n - x1) * (d2 + (n - x2) * d3));
  const fits = (n: number) => Math.abs(cubic(n) - law.survival(n)) <= TOLERANCE * s0;
  const middle = (a: number, b: number) => Math.floor((a + b) / 2);
  if (!(fits(middle(low, x1)) && fits(middle(x1, x2)) && fits(middle(x2, last)))) {
    const half = middle(low, high);
    return stretch(law, g, low, half) + stretch(law, g, half, high);
  }
  if (low >= COARSE) return ((s0 + 3 * s1 + 3 * s2 + s3) / 8) * (g(high) - g(low));
  let sum = 0;
  for (let n = low, value = g(low); n < high; n++) {
    const next = g(n + 1);
    sum += cubic(n) * (next - value);
    value = next;
  }
  return sum;
}

function termwise(law: LengthLaw, g: (n: number) => number, low: number, high: number): number {
  let sum = 0;
  for (let n = low, value = g(low); n < high; n++) {
    const next = g(n + 1);
    sum += law.survival(n) * (next - value);
    value = next;
  }
  return sum;
}
