/**
 * Core functions against 60-digit references (mpmath), in units of the last place, and by a checksum of
 * their bits that must be the same on every engine and version.
 */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as arithmetic from "../../../src/core/numbers/arithmetic.js";
import {
  atan,
  cos,
  erfc,
  exp,
  log,
  log1p,
  normalCdf,
  pow,
  sin,
} from "../../../src/core/numbers/arithmetic.js";
import { InvariantError } from "../../../src/core/errors.js";

type Name = "log" | "exp" | "log1p" | "sin" | "cos" | "atan" | "erfc" | "normalCdf";

/** [x, f(x) correctly rounded]. */
const REFERENCE: Record<Name, [number, number][]> = {
  log: [
    [5e-324, -744.4400719213812],
    [2.5e-310, -712.88508809628],
    [2.2250738585072014e-308, -708.3964185322641],
    [1e-20, -46.051701859880914],
    [0.1, -2.3025850929940455],
    [0.5, -0.6931471805599453],
    [0.7071, -0.346583180371942],
    [0.7072, -0.3464417676587033],
    [0.9999999999, -1.000000082790371e-10],
    [1.0000000001, 1.000000082690371e-10],
    [1.4142, 0.3465640001880033],
    [2, 0.6931471805599453],
    [2.718281828459045, 1.0],
    [10, 2.302585092994046],
    [12345.678, 9.421061321291832],
    [1.7976931348623157e308, 709.782712893384],
  ],
  exp: [
    [-745.1, 5e-324],
    [-740, 4.2e-322],
    [-709, 1.216780750623423e-308],
    [-708.3, 2.450295530965988e-308],
    [-30.5, 5.675685232632723e-14],
    [-1, 0.36787944117144233],
    [-0.3466, 0.7070881069410189],
    [-1e-10, 0.9999999999],
    [1e-10, 1.0000000001],
    [0.3465, 1.4141094938303624],
    [0.3467, 1.414392344013204],
    [1, 2.718281828459045],
    [2.5, 12.182493960703473],
    [20, 485165195.4097903],
    [100.25, 3.451610733125924e43],
    [708.9, 7.436322587880697e307],
    [709.78, 1.7928227943945155e308],
  ],
  log1p: [
    [-0.9999999999999999, -36.7368005696771],
    [-0.9, -2.302585092994046],
    [-0.3, -0.35667494393873234],
    [-0.29, -0.3424903089467759],
    [-0.0056, -0.005615738785635695],
    [-1e-8, -1.0000000050000001e-8],
    [1e-17, 1e-17],
    [1e-10, 9.999999999500001e-11],
    [0.01, 0.009950330853168083],
    [0.41, 0.3435897043900769],
    [0.42, 0.35065687161316933],
    [1, 0.6931471805599453],
    [3.5, 1.5040773967762742],
    [1000000.0, 13.815511557963774],
    [1000000000000000.0, 34.538776394910684],
    [1e17, 39.14394658089878],
    [1e300, 690.7755278982137],
  ],
  sin: [
    [-3, -0.1411200080598672],
    [-1e-9, -1e-9],
    [1e-9, 1e-9],
    [0.3, 0.29552020666133955],
    [0.785, 0.706825181105366],
    [0.786, 0.707532215844074],
    [1.5707963267948966, 1.0],
    [2, 0.9092974268256817],
    [3.141592653589793, 1.2246467991473532e-16],
    [6.283185307179586, -2.4492935982947064e-16],
    [100, -0.5063656411097588],
    [355, -3.014435335948845e-5],
    [52174, -0.9999999999848337],
    [1234567.8, -0.4141015749633545],
  ],
  cos: [
    [-3, -0.9899924966004454],
    [1e-9, 1.0],
    [0.3, 0.955336489125606],
    [0.785, 0.7073882691671998],
    [0.786, 0.7066810904097934],
    [1.5707963267948966, 6.123233995736766e-17],
    [2, -0.4161468365471424],
    [3.141592653589793, -1.0],
    [6.283185307179586, 1.0],
    [100, 0.8623188722876839],
    [355, -0.999999999545659],
    [52174, 5.507508792203807e-6],
    [1234567.8, -0.9102306771433653],
  ],
  atan: [
    [-1000000000.0, -1.5707963257948967],
    [-2, -1.1071487177940904],
    [-0.5, -0.4636476090008061],
    [1e-9, 1e-9],
    [0.43, 0.40609805831761564],
    [0.44, 0.41450687458478597],
    [0.68, 0.5971766580926776],
    [0.69, 0.6039829782529978],
    [1, 0.7853981633974483],
    [1.18, 0.8677800939891389],
    [1.19, 0.8719394577410082],
    [2.43, 1.1803962795753133],
    [2.44, 1.1818394466158897],
    [100, 1.5607966601082315],
    [1e20, 1.5707963267948966],
  ],
  erfc: [
    [-7, 2.0],
    [-3, 1.9999779095030015],
    [-1.1, 1.8802050695740817],
    [-0.9, 1.7969082124228322],
    [-0.5, 1.5204998778130465],
    [-0.1, 1.1124629160182848],
    [1e-9, 0.9999999988716208],
    [0.1, 0.887537083981715],
    [0.3, 0.6713732405408726],
    [0.8, 0.2578990352923395],
    [0.9, 0.20309178757716786],
    [1.2, 0.08968602177036464],
    [1.3, 0.06599205505934755],
    [2.8, 7.501319466545911e-5],
    [2.9, 4.109787809945886e-5],
    [5, 1.537459794428035e-12],
    [6.5, 3.8421483271206475e-20],
    [10, 2.088487583762545e-45],
    [20, 5.395865611607901e-176],
    [26.5, 2.2109076642637343e-307],
  ],
  normalCdf: [
    [-37, 5.725571222524577e-300],
    [-30, 4.906713927148187e-198],
    [-20, 2.7536241186062337e-89],
    [-10, 7.619853024160525e-24],
    [-6, 9.86587645037698e-10],
    [-3, 0.0013498980316300946],
    [-1.959963984540054, 0.025000000000000012],
    [-1, 0.15865525393145705],
    [-0.5, 0.3085375387259869],
    [0, 0.5],
    [0.5, 0.6914624612740131],
    [1, 0.8413447460685429],
    [2, 0.9772498680518208],
    [5, 0.9999997133484281],
    [8.3, 1.0],
  ],
};

/** Largest error in units of the last place that the docstrings promise, of a correctly rounded reference. */
const ULPS: Record<Name, number> = {
  log: 1,
  exp: 1,
  log1p: 1,
  sin: 1,
  cos: 1,
  atan: 1,
  erfc: 3,
  normalCdf: 3,
};

function ulp(x: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(x));
  view.setBigInt64(0, view.getBigInt64(0) + 1n);
  return view.getFloat64(0) - Math.abs(x);
}

describe("against correctly rounded values", () => {
  for (const [name, pairs] of Object.entries(REFERENCE) as [Name, [number, number][]][]) {
    test.each(pairs)(`${name}(%d)`, (x, expected) => {
      expect(Math.abs(arithmetic[name](x) - expected) / ulp(expected)).toBeLessThanOrEqual(ULPS[name]);
    });
  }

  test("as good as the engine's own functions on 20,000 arguments", () => {
    const worst = (f: (x: number) => number, g: (x: number) => number, low: number, high: number) => {
      let most = 0;
      for (let i = 0; i <= 2e4; i++) {
        const x = low + ((high - low) * i) / 2e4;
        most = Math.max(most, Math.abs(f(x) - g(x)) / ulp(g(x)));
      }
      return most;
    };
    expect(worst(log, Math.log, 1e-5, 3)).toBeLessThanOrEqual(1);
    expect(worst(exp, Math.exp, -50, 50)).toBeLessThanOrEqual(1);
    expect(worst(log1p, Math.log1p, -0.99999, 3)).toBeLessThanOrEqual(1);
    expect(worst(sin, Math.sin, -20, 20)).toBeLessThanOrEqual(1);
    expect(worst(cos, Math.cos, -1e5, 1e5)).toBeLessThanOrEqual(1);
    expect(worst(atan, Math.atan, -5, 5)).toBeLessThanOrEqual(1);
  });
});

describe("at the ends of the range", () => {
  test.each<[Name, number, number]>([
    ["log", 0, -Infinity],
    ["log", -1, NaN],
    ["log", -Infinity, NaN],
    ["log", NaN, NaN],
    ["log", Infinity, Infinity],
    ["log", 1, 0],
    ["log1p", -1, -Infinity],
    ["log1p", -1.5, NaN],
    ["log1p", NaN, NaN],
    ["log1p", Infinity, Infinity],
    ["log1p", 0, 0],
    ["exp", 0, 1],
    ["exp", 709.79, Infinity],
    ["exp", Infinity, Infinity],
    ["exp", -745.14, 0],
    ["exp", -Infinity, 0],
    ["exp", NaN, NaN],
    ["sin", 0, 0],
    ["sin", NaN, NaN],
    ["cos", 0, 1],
    ["cos", -Infinity, NaN],
    ["atan", 0, 0],
    ["atan", Infinity, Math.PI / 2],
    ["atan", -Infinity, -Math.PI / 2],
    ["atan", NaN, NaN],
    ["erfc", 0, 1],
    ["erfc", 30, 0],
    ["erfc", Infinity, 0],
    ["erfc", -30, 2],
    ["erfc", NaN, NaN],
    ["normalCdf", 0, 0.5],
    ["normalCdf", 40, 1],
    ["normalCdf", -40, 0],
    ["normalCdf", NaN, NaN],
  ])("%s(%d) is %d", (name, x, expected) => {
    expect(arithmetic[name](x)).toBe(expected);
  });

  test("exp underflows gradually", () => {
    expect(exp(-745.13)).toBe(Number.MIN_VALUE);
    expect(exp(-744)).toBe(2 * Number.MIN_VALUE);
    expect(exp(-708.5)).toBeGreaterThan(0);
    expect(exp(-708.5)).toBeLessThan(2.2250738585072014e-308);
  });

  test("angles beyond 2^20 quarter turns are refused, not answered wrongly", () => {
    expect(() => sin(1.7e6)).toThrow(InvariantError);
    expect(() => cos(-1.7e6)).toThrow(InvariantError);
  });
});

describe("pow", () => {
  test.each([
    [2, 10, 1024],
    [2, -1, 0.5],
    [10, 0.5, 3.1622776601683795],
    [1.5, 100, 4.065611775352152e17],
    [1e-3, 7.25, 1.7782794100389229e-22],
  ])("%d^%d", (x, y, expected) => {
    const bound = (1 + Math.abs(y * Math.log(x))) * 2.3e-16;
    expect(Math.abs(pow(x, y) / expected - 1)).toBeLessThanOrEqual(bound);
  });

  test("edges", () => {
    expect([pow(0, 2), pow(0, -1), pow(0, 0), pow(-2, 0), pow(-2, 2), pow(1, 1e300)]).toEqual([
      0,
      Infinity,
      1,
      1,
      NaN,
      1,
    ]);
  });
});

describe("laws", () => {
  const ordinary = fc.double({ min: -700, max: 700, noNaN: true });

  test("log undoes exp", () => {
    fc.assert(fc.property(ordinary, (x) => Math.abs(log(exp(x)) - x) <= 2.3e-16 * (1 + Math.abs(x))));
  });

  test("sin and cos lie on the circle, atan undoes their quotient", () => {
    fc.assert(
      fc.property(fc.double({ min: -1.5, max: 1.5, noNaN: true }), (x) => {
        expect(sin(x) * sin(x) + cos(x) * cos(x)).toBeCloseTo(1, 14);
        expect(atan(sin(x) / cos(x))).toBeCloseTo(x, 13);
      }),
    );
  });

  test("the two tails of the normal law add up to 1", () => {
    fc.assert(
      fc.property(fc.double({ min: -45, max: 45, noNaN: true }), (x) => {
        expect(Math.abs(normalCdf(x) + normalCdf(-x) - 1)).toBeLessThanOrEqual(2.3e-16);
      }),
    );
  });

  test("monotone where neighbours meet another branch", () => {
    const steps = (f: (x: number) => number, at: number) => {
      const h = 1e-9;
      return f(at - h) <= f(at) && f(at) <= f(at + h);
    };
    for (const at of [0.5, Math.SQRT1_2, 1, Math.SQRT2, 2]) expect(steps(log, at)).toBe(true);
    for (const at of [-0.2928932188134524, 0.41421356237309503]) expect(steps(log1p, at)).toBe(true);
    for (const at of [0.4375, 0.6875, 1.1875, 2.4375]) expect(steps(atan, at)).toBe(true);
    for (const at of [-1.25, 0.25, 0.84375, 1.25, 1 / 0.35]) expect(steps((x) => -erfc(x), at)).toBe(true);
  });
});

test("the same bits everywhere", () => {
  // FNV-1a over the bytes of results at fixed arguments; the constant was made on Node 20, x64
  let hash = 0x811c9dc5;
  const view = new DataView(new ArrayBuffer(8));
  const take = (value: number) => {
    view.setFloat64(0, value);
    for (let byte = 0; byte < 8; byte++) hash = Math.imul(hash ^ view.getUint8(byte), 0x01000193);
  };
  for (let i = 1; i <= 20000; i++) {
    const x = (i * 0.6180339887498949) % 30;
    for (const value of [log(x), exp(x - 15), log1p(x - 0.9), sin(x), cos(x), atan(x - 15)]) take(value);
    for (const value of [erfc(x / 3), normalCdf(x - 20), pow(x, 1.7)]) take(value);
  }
  expect(hash >>> 0).toBe(256499033);
});
