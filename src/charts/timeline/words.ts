/** A timeline in words: what an iteration holds, and a request's life; for tooltips and for those who cannot see it. */
import { holds, iterationAt, type Lane } from "./lane.js";

/** Seconds for people: `1.1 s`, `48 ms`. */
export function time(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds === 0) return "0 s";
  if (seconds < 0.0995) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  return `${Number(seconds.toPrecision(seconds < 1 ? 2 : 3))} s`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
const COUNTS = ["no chunk", "one chunk", "two chunks", "three chunks", "four chunks", "five chunks"];
const MOST_NAMED = 6;

/** Requests by number, the first few of them. */
function named(ids: readonly number[]): string {
  const shown = ids.slice(0, MOST_NAMED).map((id) => `#${id}`);
  return ids.length > MOST_NAMED
    ? `${shown.join(", ")} and ${ids.length - MOST_NAMED} more`
    : shown.join(", ");
}

/** `iteration 12, 0.31 s to 0.35 s: decodes 3 (#0, #1, #4); prefills 128 tokens of #7; 2 prompts wait`. */
export function iterationWords(lane: Lane, i: number): string {
  if (i < 0 || i >= lane.count) return "no iteration";
  const parts: string[] = [];
  const decoding = [...lane.decodeId.subarray(lane.decodeFrom[i], lane.decodeFrom[i] + lane.decodes[i])].sort(
    (a, b) => a - b,
  );
  if (decoding.length > 0) parts.push(`decodes ${decoding.length} (${named(decoding)})`);
  const from = lane.chunkFrom[i];
  const to = lane.chunkFrom[i + 1];
  if (to > from) {
    const all = Array.from({ length: Math.min(to - from, MOST_NAMED) }, (_, c) => from + c);
    const more = to - from > MOST_NAMED ? ` and ${to - from - MOST_NAMED} more` : "";
    parts.push(
      `prefills ${lane.prefill[i]} tokens (${all.map((c) => `#${lane.chunkId[c]}: ${lane.chunkTokens[c]}`).join(", ")}${more})`,
    );
  }
  if (lane.leftOut[i] > 0) parts.push(`${plural(lane.leftOut[i], "decode")} left out`);
  if (lane.waiting[i] > 0)
    parts.push(`${plural(lane.waiting[i], "prompt")} ${lane.waiting[i] === 1 ? "waits" : "wait"}`);
  const { startAt, endAt } = lane;
  return `iteration ${i + 1}, ${startAt[i].toFixed(3)} s to ${endAt[i].toFixed(3)} s (${time(endAt[i] - startAt[i])}): ${parts.join("; ")}`;
}

/** What held a request up between two of its tokens. */
export interface Wait {
  readonly seconds: number;
  /** Requests whose prompts ran meanwhile. */
  readonly prefilled: readonly number[];
}

export interface Life {
  /** Chunks in which its prompt was computed, as far as recorded. */
  readonly chunks: number;
  /** The longest time that it sat out between two of its tokens. */
  readonly stalled: Wait;
  /** How much longer than its usual gap its longest one was, because prompts shared its batches. */
  readonly slowed: Wait;
}

/** A request's life as far as it was recorded. */
export function lifeOf(lane: Lane, id: number): Life {
  let chunks = 0;
  let stalled: Wait = { seconds: 0, prefilled: [] };
  let slowed: Wait = { seconds: 0, prefilled: [] };
  let shortest = Infinity;
  let lastAt = NaN;
  let lastHeld = -1;
  for (let i = iterationAt(lane, lane.startedAt[id]); i < lane.count; i++) {
    if (lane.startAt[i] >= lane.finishedAt[id]) break;
    const how = holds(lane, i, id);
    if (how === undefined) continue;
    if (how === "prefill") chunks++;
    else {
      const gap = lane.endAt[i] - lastAt;
      const out = lane.startAt[i] - lastAt;
      if (out > stalled.seconds)
        stalled = { seconds: out, prefilled: prefilledBetween(lane, lastHeld + 1, i, id) };
      if (gap < shortest) shortest = gap;
      if (out === 0 && gap - shortest > slowed.seconds && lane.prefill[i] > 0)
        slowed = { seconds: gap - shortest, prefilled: prefilledBetween(lane, i, i + 1, id) };
    }
    lastAt = lane.endAt[i];
    lastHeld = i;
  }
  return { chunks, stalled, slowed };
}

function prefilledBetween(lane: Lane, from: number, to: number, but: number): number[] {
  const ids = new Set<number>();
  for (let c = lane.chunkFrom[from]; c < lane.chunkFrom[to]; c++)
    if (lane.chunkId[c] !== but) ids.add(lane.chunkId[c]);
  return [...ids];
}

const by = ({ prefilled }: Wait): string =>
  prefilled.length === 0
    ? ""
    : ` by the prefill of ${prefilled.length > 3 ? plural(prefilled.length, "prompt") : named(prefilled)}`;

/** `request #7, 512 + 64 tokens: waited 0.4 s, prefilled in three chunks, first token after 1.2 s, stalled 1.1 s …`. */
export function requestWords(lane: Lane, id: number): string {
  if (!(id >= 0 && id < lane.arrivedAt.length)) return "no request";
  const { arrivedAt, startedAt, firstTokenAt, finishedAt, promptTokens, outputTokens } = lane;
  const head = `request #${id}, prompt of ${plural(promptTokens[id], "token")}, ${plural(outputTokens[id], "token")} out: arrived at ${arrivedAt[id].toFixed(3)} s`;
  if (Number.isNaN(finishedAt[id])) return `${head}, turned away`;
  const { chunks, stalled, slowed } = lifeOf(lane, id);
  const parts = [`waited ${time(startedAt[id] - arrivedAt[id])}`];
  if (chunks > 0) parts.push(`prefilled in ${COUNTS[chunks] ?? `${chunks} chunks`}`);
  if (outputTokens[id] > 0) parts.push(`first token after ${time(firstTokenAt[id] - arrivedAt[id])}`);
  if (stalled.seconds > 0) parts.push(`stalled ${time(stalled.seconds)}${by(stalled)}`);
  if (slowed.seconds > stalled.seconds) parts.push(`slowed by ${time(slowed.seconds)}${by(slowed)}`);
  parts.push(`done after ${time(finishedAt[id] - arrivedAt[id])}`);
  return `${head}, ${parts.join(", ")}`;
}
