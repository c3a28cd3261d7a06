/** The length laws of the scenarios, as survival functions, for tests of the theory. */

import { exp, log, log1p, normalCdf } from "../../src/core/numbers/arithmetic.js";
import type { LengthLaw } from "../../src/theory/index.js";

/** Always n. */
export const constant = (n: number): LengthLaw => ({ survival: (x) => (x < n ? 1 : 0) });

/** Values with their probabilities. */
export const discrete = (pairs: readonly (readonly [number, number])[]): LengthLaw => ({
  survival: (x) => pairs.reduce((sum, [value, p]) => (value > x ? sum + p : sum), 0),
});

export const DEMO2_PROMPT = discrete([
  [32, 0.6],
  [128, 0.3],
  [512, 0.1],
]);
export const DEMO2_OUTPUT = discrete([
  [64, 0.5],
  [256, 0.5],
]);

/** max(1, floor(LogNormal(3.2764, 1.5201))). */
export const DEMO3_PROMPT: LengthLaw = {
  survival: (n) => (n < 1 ? 1 : normalCdf(-(log(n + 1) - 3.2764) / 1.5201)),
};

/** min(Geometric(0.0056) on 1, 2, ...; 1024). */
export const DEMO3_OUTPUT: LengthLaw = {
  survival: (n) => (n < 1024 ? exp(n * log1p(-0.0056)) : 0),
};
