/**
 * Stalls: when work that could go on does not, and whose fault it is. Each policy has its own kind: under
 * prefill-prioritizing decodes are left out while prompts run, under decode-prioritizing prompts wait while others
 * decode, under hybrid nobody waits but a prompt in the batch makes every token of it late (Sarathi-Serve, OSDI 2024).
 */
import type { Lane } from "./lane.js";

/** `decodes wait`: sequences were left out; `prompts wait`: prompts were; `tokens late`: a prompt slowed the batch. */
export type StallKind = "decodes wait" | "prompts wait" | "tokens late";

export interface Stall {
  readonly kind: StallKind;
  /** The first iteration of it, and the one after its last. */
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
}

/** A batch this many times as long as the last one that only decoded makes its tokens late. */
const LATE = 2;

/** What stalls in each iteration: the worst of its kinds, or undefined. `usual` is the last time of a pure decode. */
export function stallOf(lane: Lane, i: number, usual: number): StallKind | undefined {
  if (lane.leftOut[i] > 0) return "decodes wait";
  if (lane.waiting[i] > 0) return "prompts wait";
  const time = lane.endAt[i] - lane.startAt[i];
  if (lane.decodes[i] > 0 && lane.prefill[i] > 0 && time > LATE * usual) return "tokens late";
  return undefined;
}

/** The first stall of a lane: its run of iterations that stall in the same way; undefined when nothing does. */
export function firstStall(lane: Lane): Stall | undefined {
  let usual = Infinity;
  for (let i = 0; i < lane.count; i++) {
    const kind = stallOf(lane, i, usual);
    if (kind !== undefined) {
      let to = i + 1;
      while (to < lane.count && lane.startAt[to] === lane.endAt[to - 1] && stallOf(lane, to, usual) === kind)
        to++;
      return { kind, from: i, to, seconds: lane.endAt[to - 1] - lane.startAt[i] };
    }
    if (lane.prefill[i] === 0) usual = lane.endAt[i] - lane.startAt[i];
  }
  return undefined;
}
