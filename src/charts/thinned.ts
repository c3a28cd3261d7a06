/**
 * What a figure names one by one, series and reference rules: all of them, or, where nobody could read them any more, a
 * dozen evenly apart. Each takes layers of its own, and Vega-Lite walks layers by recursion: two thousand series were
 * more than the stack holds.
 */

const MOST = 60;
const OF_MANY = 12;

/** @returns the same list, or of a longer one the first, the last and some between */
export const thinned = <T>(all: readonly T[]): readonly T[] =>
  all.length <= MOST
    ? all
    : Array.from({ length: OF_MANY }, (_, i) => all[Math.round((i * (all.length - 1)) / (OF_MANY - 1))]);
