/** What tables and figures of several windows say of themselves. */
import type { Study } from "../interface/study.js";

/** The windows T·i/n, i = 1..n, in seconds; the last is T, not T·n/n, which rounding may miss. */
export const windowsOf = (tmaxSeconds: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i + 1 < count ? (tmaxSeconds * (i + 1)) / count : tmaxSeconds));

/** What a figure's reader must know: trials, seed, conventions. */
export function subtitle(study: Study): string {
  const { firstToken, mixedBatch, sequenceCap, tbt } = study.config.conventions;
  return `${study.trials} trials, seed ${study.seed}, 95 % intervals; firstToken ${firstToken}, mixedBatch ${mixedBatch}, sequenceCap ${sequenceCap}, tbt ${tbt}`;
}
