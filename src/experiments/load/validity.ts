/**
 * How far the requests lie outside what hardware was fitted to. Its form goes on straight there, and nobody has measured
 * whether iterations do.
 */
import { builtIn, member } from "../../core/configuration/registry.js";
import type { Study } from "../interface/study.js";
import { percent, plain } from "../cells/quantity.js";

/** Fewer prompts than this share say little. */
const FEW = 0.001;

/** The least length that no more than `share` of the prompts pass. */
function quantile(survival: (tokens: number) => number, share: number): number {
  let high = 1;
  while (survival(high) > share) high *= 2;
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (survival(middle) > share) low = middle;
    else high = middle;
  }
  return high;
}

/** Nothing where no hardware says what it was fitted to. */
export function validityNotes({ config, hardware, validity, registry = builtIn }: Study): string[] {
  if (!validity || hardware === undefined) return [];
  const { workload, engine } = config;
  const { promptTokens } = workload;
  const law = member(registry.lengths, promptTokens.kind).create(promptTokens);
  const survival = (tokens: number): number => law.survival(tokens);
  const notes: string[] = [];
  const tell = (what: string, most: number, reached: (longest: number) => number, how: string): void => {
    const share = survival(most);
    const longest = share > FEW ? reached(quantile(survival, FEW)) : 0;
    if (longest <= most) return;
    notes.push(
      `hardware ${hardware} was fitted to ${what} of up to ${most}: ${percent(share, NaN)} of the prompts are longer, one in a thousand ${how} ${longest} or more, ${plain(longest / most)} times that: there its times go on straight, which nobody has measured`,
    );
  };
  const [, prefill] = validity.prefillTokens ?? [0, Infinity];
  const piece = Math.min(engine.maxTokens, engine.chunkSize ?? Infinity);
  tell("iterations with prompt tokens", prefill, (longest) => Math.min(longest, piece), "with pieces of");
  const [, cached] = validity.kvPerDecode ?? [0, Infinity];
  tell("decodes with cached tokens", cached, (longest) => longest, "has");
  return notes;
}
