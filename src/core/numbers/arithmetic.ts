/**
 * log, exp, pow, sin, cos, atan, log1p, erfc and the normal distribution with the same bits on every
 * JavaScript engine: those of `Math` differ between engines and versions, while + - * / and
 * `Math.sqrt` are fixed by IEEE 754. The only place of the core, stats and theory for these functions.
 *
 * After Sun's fdlibm 5.3 (e_log.c, e_exp.c, s_log1p.c, e_rem_pio2.c, k_sin.c, k_cos.c, s_atan.c, s_erf.c):
 *   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *   Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and
 *   distribute this software is freely granted, provided that this notice is preserved.
 */

import { invariant } from "../errors.js";

// One double seen as two 32-bit words; which of them is the high one depends on the machine.
const DOUBLE = new Float64Array(1);
const WORDS = new Int32Array(DOUBLE.buffer);
DOUBLE[0] = 1;
const HIGH = Number(WORDS[1] === 0x3ff00000);

const LN2_HIGH = 6.9314718036912381649e-1; // 33 bits, so that k * LN2_HIGH is exact
const LN2_LOW = 1.90821492927058770002e-10;
const LARGEST_EXP = 709.782712893384; // log(Number.MAX_VALUE)
const SMALLEST_EXP = -745.1332191019412; // below, exp rounds to 0

/** log(1 + f) - f + f²/2 for the f of a reduced argument, s = f/(2 + f); error below 2^-58. */
function logTail(s: number, halfSquare: number): number {
  const z = s * s;
  const w = z * z;
  const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1));
  const odd =
    z *
    (6.66666666666673513e-1 +
      w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
  return s * (halfSquare + (even + odd));
}

/** 2^k at index k + 1074. Multiplying by it is faster than writing the exponent bits and reading them back. */
const POWERS_OF_TWO = new Float64Array(2098);
for (let k = 0, power = Number.MIN_VALUE; k < 2098; k++, power *= 2) POWERS_OF_TWO[k] = power;

/**
 * Natural logarithm, error below 1 ulp. `log(0)` is -Infinity, of a negative number NaN. Hot: a normal
 * argument meets two comparisons and one table look-up.
 */
export function log(x: number): number {
  DOUBLE[0] = x;
  const high = WORDS[HIGH];
  if (high < 0x00100000 || high >= 0x7ff00000) return logOfUnusual(x);
  // x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2)
  const k = ((high + (0x3ff00000 - 0x3fe6a09e)) >> 20) - 0x3ff;
  const f = x * POWERS_OF_TWO[1074 - k] - 1;
  const halfSquare = 0.5 * f * f;
  return logTail(f / (2 + f), halfSquare) + k * LN2_LOW - halfSquare + f + k * LN2_HIGH;
}

/** log of zero, a negative number, an infinity, NaN or a subnormal. */
function logOfUnusual(x: number): number {
  if (x === 0) return -Infinity;
  if (!(x > 0) || x === Infinity) return x > 0 ? x : NaN;
  return log(x * 18014398509481984) - 54 * LN2_LOW - 54 * LN2_HIGH; // 2^54
}

/** log(1 + x) without losing the digits of a small x; error below 1 ulp. Range as of `log(1 + x)`. */
export function log1p(x: number): number {
  if (!(x > -1)) return x === -1 ? -Infinity : NaN;
  if (x === Infinity || Math.abs(x) < 1.1102230246251565e-16) return x;
  let k = 0;
  let lost = 0;
  let f = x;
  if (x <= -0.2928932188134524 || x >= 0.41421356237309503) {
    const u = 1 + x;
    DOUBLE[0] = u;
    k = ((WORDS[HIGH] + (0x3ff00000 - 0x3fe6a09e)) >> 20) - 0x3ff;
    // the rounding error of 1 + x, relative to u; beyond 2^54 x is even and nothing is lost
    if (k < 54) lost = (k >= 2 ? 1 - (u - x) : x - (u - 1)) / u;
    f = u * POWERS_OF_TWO[1074 - k] - 1;
  }
  const halfSquare = 0.5 * f * f;
  return logTail(f / (2 + f), halfSquare) + (k * LN2_LOW + lost) - halfSquare + f + k * LN2_HIGH;
}

/** e^x, error below 1 ulp; Infinity above 709.78, 0 below -745.13, gradual in between. Hot like `log`. */
export function exp(x: number): number {
  if (!(x <= LARGEST_EXP)) return x > 0 ? Infinity : NaN;
  if (x < SMALLEST_EXP) return 0;
  // x = k log 2 + r, |r| <= log(2)/2; e^r = 1 + r + r c/(2 - c)
  const k = Math.floor(1.442695040888963387 * x + 0.5);
  const rHigh = x - k * LN2_HIGH;
  const rLow = k * LN2_LOW;
  const r = rHigh - rLow;
  const z = r * r;
  const c =
    r -
    z *
      (1.66666666666666019037e-1 +
        z *
          (-2.77777777770155933842e-3 +
            z *
              (6.61375632143793436117e-5 + z * (-1.6533902205465251539e-6 + z * 4.13813679705723846039e-8))));
  const y = 1 + ((r * c) / (2 - c) - rLow + rHigh);
  if (k >= -1074 && k <= 1023) return y * POWERS_OF_TWO[k + 1074];
  return k > 0 ? y * 2 * POWERS_OF_TWO[2097] : y * 0.5 * Number.MIN_VALUE;
}

/**
 * x^y for x >= 0 as exp(y log x): relative error up to (1 + |y log x|)·2^-52, so 1e-14 for ordinary
 * results; not exact for whole y (multiply instead). `pow(0, y)` is 0, 1 or Infinity; NaN for x < 0.
 */
export function pow(x: number, y: number): number {
  return y === 0 ? 1 : exp(y * log(x));
}

/** sin(r + low) for |r| <= pi/4. */
function sinKernel(r: number, low: number): number {
  const z = r * r;
  const v = z * r;
  const s =
    8.33333333332248946124e-3 +
    z *
      (-1.98412698298579493134e-4 +
        z * (2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)));
  return r - (z * (0.5 * low - v * s) - low + v * 1.66666666666666324348e-1);
}

/** cos(r + low) for |r| <= pi/4. */
function cosKernel(r: number, low: number): number {
  const z = r * r;
  const c =
    z *
    (4.16666666666666019037e-2 +
      z *
        (-1.38888888888741095749e-3 +
          z *
            (2.48015872894767294178e-5 +
              z *
                (-2.75573143513906633035e-7 +
                  z * (2.0875723212981748279e-9 - z * 1.13596475577881948265e-11)))));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z * c - r * low));
}

/** The largest argument of sin and cos, 2^20 quarter turns; take the phase modulo its period before. */
const LARGEST_ANGLE = 1647099.3291652855;

/**
 * sin(x + quarters·pi/2). Reduced by the multiple n of pi/2 nearest to x with pi/2 in three parts of
 * 33 bits and a rest (Cody & Waite, as fdlibm's medium case): n times a part is exact for n < 2^20.
 */
function sinOfQuarters(x: number, quarters: number): number {
  if (x !== x || Math.abs(x) === Infinity) return NaN;
  invariant(Math.abs(x) <= LARGEST_ANGLE, "the angle of sin and cos is at most 2^20 quarter turns");
  const n = Math.round(x * 6.36619772367581382433e-1);
  const first = x - n * 1.57079632673412561417;
  let w = n * 6.0771005063039659766e-11;
  const second = first - w;
  const lost = first - second - w;
  w = n * 2.0222662487111664558e-21 - lost;
  const third = second - w;
  w = n * 8.47842766036889956997e-32 - (second - third - w);
  const r = third - w;
  const low = third - r - w;
  const turn = (n + quarters) & 3;
  const value = turn & 1 ? cosKernel(r, low) : sinKernel(r, low);
  return turn & 2 ? -value : value;
}

/** Sine of x radians, error below 1 ulp; |x| <= 2^20·pi/2, else an InvariantError. */
export function sin(x: number): number {
  return sinOfQuarters(x, 0);
}

/** Cosine of x radians, error below 1 ulp; |x| <= 2^20·pi/2, else an InvariantError. */
export function cos(x: number): number {
  return sinOfQuarters(x, 1);
}

/** Arc tangent in [-pi/2, pi/2], error below 1 ulp. */
export function atan(x: number): number {
  const size = Math.abs(x);
  if (size < 0.4375) return x - atanTail(x);
  // atan(size) = a known angle (high + low) + the angle of a smaller tangent
  let value: number;
  if (size < 0.6875)
    value = atanFrom(4.63647609000806093515e-1, 2.26987774529616870924e-17, (2 * size - 1) / (2 + size));
  else if (size < 1.1875)
    value = atanFrom(7.85398163397448278999e-1, 3.06161699786838301793e-17, (size - 1) / (size + 1));
  else if (size < 2.4375)
    value = atanFrom(9.82793723247329054082e-1, 1.39033110312309984516e-17, (size - 1.5) / (1 + 1.5 * size));
  else value = atanFrom(1.570796326794896558, 6.12323399573676603587e-17, -1 / size);
  return x < 0 ? -value : value;
}

function atanFrom(high: number, low: number, tangent: number): number {
  return high - (atanTail(tangent) - low - tangent);
}

/** x - atan(x) for |x| <= 7/16. */
function atanTail(x: number): number {
  const z = x * x;
  const w = z * z;
  const odd =
    z *
    (3.33333333333329318027e-1 +
      w *
        (1.42857142725034663711e-1 +
          w *
            (9.09088713343650656196e-2 +
              w *
                (6.66107313738753120669e-2 +
                  w * (4.97687799461593236017e-2 + w * 1.62858201153657823623e-2)))));
  const even =
    w *
    (-1.99999999998764832476e-1 +
      w *
        (-1.1111110405462355788e-1 +
          w *
            (-7.69187620504482999495e-2 + w * (-5.83357013379057348645e-2 + w * -3.6531572744216915527e-2))));
  return x * (odd + even);
}

/** Coefficients, highest power first, of the rational functions of s_erf.c. */
const NEAR_ZERO = [
  [
    -2.37630166566501626084e-5, -5.77027029648944159157e-3, -2.84817495755985104766e-2,
    -3.2504210724700149937e-1, 1.28379167095512558561e-1,
  ],
  [
    -3.9602282787753681232e-6, 1.32494738004321644526e-4, 5.08130628187576562776e-3,
    6.50222499887672944485e-2, 3.97917223959155352819e-1, 1,
  ],
] as const;
const NEAR_ONE = [
  [
    -2.166375594868790843e-3, 3.54783043256182359371e-2, -1.10894694282396677476e-1,
    3.18346619901161753674e-1, -3.72207876035701323847e-1, 4.14856118683748331666e-1,
    -2.36211856075265944077e-3,
  ],
  [
    1.1984499846799107417e-2, 1.36370839120290507362e-2, 1.26171219808761642112e-1, 7.18286544141962662868e-2,
    5.40397917702171048937e-1, 1.06420880400844228286e-1, 1,
  ],
] as const;
const BELOW_20_7 = [
  [
    -9.81432934416914548592, -8.12874355063065934246e1, -1.84605092906711035994e2, -1.62396669462573470355e2,
    -6.23753324503260060396e1, -1.05586262253232909814e1, -6.93858572707181764372e-1,
    -9.86494403484714822705e-3,
  ],
  [
    -6.04244152148580987438e-2, 6.57024977031928170135, 1.08635005541779435134e2, 4.29008140027567833386e2,
    6.45387271733267880336e2, 4.34565877475229228821e2, 1.376577541435190426e2, 1.96512716674392571292e1, 1,
  ],
] as const;
const BEYOND = [
  [
    -4.83519191608651397019e2, -1.02509513161107724954e3, -6.37566443368389627722e2,
    -1.60636384855821916062e2, -1.77579549177547519889e1, -7.99283237680523006574e-1,
    -9.86494292470009928597e-3,
  ],
  [
    -2.24409524465858183362e1, 4.74528541206955367215e2, 2.55305040643316442583e3, 3.19985821950859553908e3,
    1.53672958608443695994e3, 3.25792512996573918826e2, 3.03380607434824582924e1, 1,
  ],
] as const;

function ratio([top, bottom]: readonly [readonly number[], readonly number[]], x: number): number {
  let numerator = 0;
  for (const coefficient of top) numerator = numerator * x + coefficient;
  let denominator = 0;
  for (const coefficient of bottom) denominator = denominator * x + coefficient;
  return numerator / denominator;
}

/** Complementary error function 2/√pi ∫ₓ^∞ e^(−t²) dt, relative error below 1e-15 (3 ulp) also for large x. */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (size < 0.84375) {
    const xy = x * ratio(NEAR_ZERO, x * x);
    return x < 0.25 ? 1 - (x + xy) : 0.5 - (x - 0.5 + xy);
  }
  if (size < 1.25) {
    const rest = ratio(NEAR_ONE, size - 1);
    return x > 0 ? 1 - 8.45062911510467529297e-1 - rest : 1 + (8.45062911510467529297e-1 + rest);
  }
  if (!(size < 28)) return x > 0 ? 0 : x < 0 ? 2 : NaN;
  // e^(-x²) from the high half of x, whose square is exact, and the rest
  DOUBLE[0] = size;
  WORDS[1 - HIGH] = 0;
  const z = DOUBLE[0];
  const s = 1 / (size * size);
  const rest = size < 1 / 0.35 ? ratio(BELOW_20_7, s) : ratio(BEYOND, s);
  const tail = (exp(-z * z - 0.5625) * exp((z - size) * (z + size) + rest)) / size;
  return x > 0 ? tail : 2 - tail;
}

const SQRT_HALF = 0.7071067811865476;
const SQRT_HALF_REST = -4.833646656726457e-17; // sqrt(1/2) - SQRT_HALF
const SPLIT = 134217729; // 2^27 + 1: Dekker's constant, halves a double's digits

/**
 * P(Z <= x) of a standard normal Z; relative error below 1e-15 down to x = -37. For an upper tail take
 * normalCdf(-x), not 1 - normalCdf(x).
 */
export function normalCdf(x: number): number {
  if (!(Math.abs(x) < 39)) return x > 0 ? 1 : x < 0 ? 0 : NaN;
  // erfc(z)/2 at z = -x sqrt(1/2); a rounding error e of z shifts it by -(1/√pi) e^(-z²) e: added back
  const z = -x * SQRT_HALF;
  const xHigh = -x * SPLIT - (-x * SPLIT + x);
  const xLow = -x - xHigh;
  const cHigh = SQRT_HALF * SPLIT - (SQRT_HALF * SPLIT - SQRT_HALF);
  const cLow = SQRT_HALF - cHigh;
  const rounding = xHigh * cHigh - z + xHigh * cLow + xLow * cHigh + xLow * cLow - x * SQRT_HALF_REST;
  return 0.5 * erfc(z) - 0.5641895835477563 * exp(-z * z) * rounding;
}
