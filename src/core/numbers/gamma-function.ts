/**
 * log Γ(x) for x > 0, with the same bits on every engine: Stirling's series (Abramowitz & Stegun 6.1.41),
 * reached by the recurrence Γ(x + 1) = x Γ(x) where x is small. Laws are fitted to their moments with it.
 */
import { log } from "./arithmetic.js";

/** From here on the series' first term left out, 43867/244188 x^-17, is below 1e-19. */
const SERIES_FROM = 13;
const HALF_LOG_2PI = 0.91893853320467274178;

/** log Γ(x) for x > 0: error below 1e-14 of max(1, |log Γ(x)|); Infinity at 0, NaN below. */
export function logGamma(x: number): number {
  if (!(x > 0)) return x === 0 ? Infinity : NaN;
  let product = 1;
  let y = x;
  for (; y < SERIES_FROM; y++) product *= y;
  const z = 1 / (y * y);
  const series =
    (1 / 12 -
      z *
        (1 / 360 -
          z *
            (1 / 1260 -
              z * (1 / 1680 - z * (1 / 1188 - z * (691 / 360360 - z * (1 / 156 - (z * 3617) / 122400))))))) /
    y;
  return (y - 0.5) * log(y) - y + HALF_LOG_2PI + series - log(product);
}
