/**
 * The iterations that a form is fitted to when it is fitted to a kernel profile: an even design over what an engine
 * composes, priced by the table model of the profile.
 *
 * A profile's own grid is geometric, so nearly all of its iterations hold few sequences or few tokens, and a fit to it
 * is good where a loaded engine seldom is. Here the points stand evenly where its iterations are: any number of
 * decodes with any context, and any share of the token budget filled by prefill.
 */
import type { Spec } from "../../core/options/definition.js";
import { pricesOf } from "./errors.js";
import { type Range, type Step, stepsIn } from "./steps.js";

/** Decoding sequences: up to vLLM's default of 256 sequences for serving. */
const DECODES = [0, 1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 256];
/** Cached tokens of each. */
const CONTEXTS = [256, 512, 1024, 1536, 2048, 3072, 4096];

/**
 * Prompt tokens of an iteration go in steps of this many, and to what the budget leaves. It decides how much mixed
 * batches of few prompt tokens count for, and was chosen with a measured run in view (docs/hardware.md gives what
 * other steps come to).
 */
export const CHUNK_STEP = 256;

/** `levels`, and beyond their last as far as `most` in steps as wide as their last one. */
function extended(levels: readonly number[], most: number): number[] {
  const last = levels[levels.length - 1];
  const step = last - levels[levels.length - 2];
  const more = Math.max(0, Math.floor((most - last) / step));
  return [...levels, ...Array.from({ length: more }, (_, i) => last + (i + 1) * step)];
}

/**
 * The design inside a range, each iteration with the time that the table gives it.
 * @param table a `gpu-table` model of the profile
 * @param range what to fit; its `mostTokens` is the token budget of the engine
 * @param chunkStep prompt tokens between two iterations of equal decodes, at least 1
 */
export function designOf(table: Spec, range: Required<Range>, chunkStep: number): Step[] {
  const { leastKv, mostKv, mostTokens } = range;
  const contexts = [...(leastKv < CONTEXTS[0] ? [leastKv] : []), ...extended(CONTEXTS, mostKv)];
  const shapes: Omit<Step, "ms">[] = [];
  for (const decodes of DECODES) {
    const left = mostTokens - decodes;
    if (left < 0) continue;
    const prompts = Array.from({ length: Math.ceil(left / chunkStep) }, (_, i) => i * chunkStep);
    for (const kvPerDecode of decodes > 0 ? contexts : [0])
      for (const prefillTokens of [...prompts, left])
        if (decodes + prefillTokens > 0)
          shapes.push({
            decodes,
            kvPerDecode,
            prefillTokens,
            tokens: decodes + prefillTokens,
            sumKv: decodes * kvPerDecode,
          });
  }
  const steps = stepsIn(
    shapes.map((shape) => ({ ...shape, ms: NaN })),
    range,
  );
  const prices = pricesOf(table, steps);
  return steps.map((step, i) => ({ ...step, ms: prices[i] }));
}
