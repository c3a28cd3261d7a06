/** How high bars stand: by what all lanes share, so that they can be compared. */
import type { Lane } from "./lane.js";

/** Pixels of a bar of prompt tokens, and of decodes, at most. */
export const UP = 38;
export const DOWN = 26;

const most = (values: Int32Array): number => values.reduce((best, value) => Math.max(best, value), 1);

/** Heights that all lanes share, so that they can be compared. */
export interface Tops {
  readonly prefill: number;
  readonly decodes: number;
  readonly queue: number;
}
const cache = new WeakMap<readonly Lane[], Tops>();
export function topsOf(lanes: readonly Lane[]): Tops {
  let tops = cache.get(lanes);
  if (!tops) {
    const over = (of: (lane: Lane) => Int32Array): number =>
      Math.max(1, ...lanes.map((lane) => most(of(lane))));
    tops = {
      prefill: over((lane) => lane.prefill),
      decodes: over((lane) => lane.decodes),
      queue: Math.max(
        over((lane) => lane.waiting),
        over((lane) => lane.resident),
      ),
    };
    cache.set(lanes, tops);
  }
  return tops;
}
// Prompts differ a hundredfold, batches tenfold: by the square root the small ones still show.
const grown = (value: number, top: number, height: number): number =>
  value <= 0 ? 0 : Math.max(2, height * Math.sqrt(value / top));
export const rise = (tokens: number, top: number): number => grown(tokens, top, UP);
export const fall = (decodes: number, top: number): number => grown(decodes, top, DOWN);
