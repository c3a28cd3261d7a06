/**
 * Did-you-mean, for everything a user can misspell: commands, flags, scenarios, schedulers, keys, choices.
 * Case, hyphens and underscores do not count, and the last part of a dotted key may stand for the whole.
 */
import { distance } from "fastest-levenshtein";

/** Nothing that a user meant is longer; the distance takes time with the square of the length. */
const LONGEST_WORD = 64;
const MOST_TYPOS = 3;

const plain = (word: string): string => word.toLowerCase().replace(/[-_\s]/g, "");

/** How far `word` is from `candidate`, or Infinity when nobody would mix them up. */
function far(word: string, candidate: string): number {
  const parts = [word.split("."), candidate.split(".")] as const;
  // Dotted keys are compared part by part: one wrong part is not made up for by the length of the others.
  if (parts[0].length > 1 && parts[0].length === parts[1].length)
    return parts[0].reduce((sum, part, i) => sum + far(part, parts[1][i]), 0);
  const [a, b] = [plain(word), plain(candidate)];
  if (a.length >= 3 && b.startsWith(a)) return a === b ? 0 : 0.5;
  const typos = distance(a, b);
  const length = Math.min(a.length, b.length);
  const bearable = length < 2 ? 0 : Math.min(MOST_TYPOS, Math.max(1, Math.floor(0.4 * length)));
  return typos <= bearable ? typos : Infinity;
}

/**
 * The candidate that the wrong `word` most likely stands for; undefined when none is near. Of equally near ones
 * the first; a dotted candidate is also tried by its last part when `word` has no dot.
 */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  if (plain(word) === "" || word.length > LONGEST_WORD) return undefined;
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    if (candidate === word) continue;
    let distant = far(word, candidate);
    if (!word.includes(".") && candidate.includes("."))
      distant = Math.min(distant, 0.25 + far(word, candidate.slice(candidate.lastIndexOf(".") + 1)));
    if (distant < least) {
      least = distant;
      best = candidate;
    }
  }
  return best;
}

/** ` — did you mean hybrid?`, to be appended to a message; empty when no candidate is near. */
export function hint(word: string, candidates: readonly string[]): string {
  const meant = suggest(word, candidates);
  return meant === undefined ? "" : ` — did you mean ${meant}?`;
}
