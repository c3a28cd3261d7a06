/** The schedulers of docs/model.md §2 but vllm. */
import type { Composition } from "./composition.js";
import type { Sequence } from "./sequence.js";

export function composeBase(composition: Composition): void {
  const { scheduler, engine } = composition.input;
  const { maxTokens, maxSequences } = engine;
  const { decodable } = composition;

  // A pure iteration has at most maxSequences sequences: the cap of sequenceCap = iteration (§3); under
  // resident it follows, since all of them are resident. At most min(maxSequences, maxTokens) decode (§2).
  const decodeOnly = (): void => decode(composition, Math.min(maxSequences, maxTokens));
  const prefillOnly = (mayCut: Pack["mayCut"]): void => {
    pack(composition, { mayCut, tokens: maxTokens, places: maxSequences });
  };

  switch (scheduler.kind) {
    // While any sequence decodes, decode all of them and nothing else; partly prefilled prompts pause
    // meanwhile and head the next prefill iteration (they head the prompts). Otherwise one prefill iteration.
    case "decode-prioritizing":
      if (decodable.length > 0) decodeOnly();
      else prefillOnly("first");
      return;

    // While any prompt is partly prefilled, or unstarted and admitted by the cap (and by memory), pure prefill
    // iterations.
    case "prefill-prioritizing":
      prefillOnly("last");
      if (composition.batch.prefill.length === 0) decodeOnly();
      return;

    case "hybrid":
      if (scheduler.ratioOf === "sequences") {
        // maxSequences = 1: decode if a sequence decodes, else prefill.
        if (maxSequences === 1) return decodable.length > 0 ? decodeOnly() : prefillOnly("last");
        // At most D decodes first, then at most maxSequences - D prompts into the rest of the token budget.
        // Places unused on one side are not lent to the other, even when that side is empty.
        const D = share(scheduler.ratio, maxSequences);
        decode(composition, Math.min(D, maxTokens));
        const decodes = composition.batch.decode.length;
        pack(composition, { mayCut: "last", tokens: maxTokens - decodes, places: maxSequences - D });
      } else {
        // Reading: maxTokens = 1 leaves no D in [1, maxTokens - 1]; as with maxSequences = 1 above.
        if (maxTokens === 1) return decodable.length > 0 ? decodeOnly() : prefillOnly("last");
        // The ratio divides the token budget: at most D decodes, at most maxTokens - D prefill tokens, at most
        // maxSequences sequences together. Reading: with maxSequences = 1 too, so a prefill has maxTokens - D.
        const D = share(scheduler.ratio, maxTokens);
        decode(composition, Math.min(D, maxSequences));
        const decodes = composition.batch.decode.length;
        pack(composition, { mayCut: "last", tokens: maxTokens - D, places: maxSequences - decodes });
      }
      return;

    // Every decode, then prompts into what is left of budget and places, the last cut to fit.
    case "sarathi":
    // Every decode, then whole prompts; one longer than the whole budget is cut to what is left.
    case "orca": {
      decodeOnly();
      const decodes = composition.batch.decode.length;
      const mayCut = scheduler.kind === "sarathi" ? "last" : "long";
      pack(composition, { mayCut, tokens: maxTokens - decodes, places: maxSequences - decodes });
      return;
    }

    case "vllm":
      throw new Error("oracle: vllm has a composition of its own");
  }
}

/** model §2, hybrid: D = floor(r * whole + 1e-9), clamped to [1, whole - 1]. */
function share(ratio: number, whole: number): number {
  return Math.min(Math.max(Math.floor(ratio * whole + 1e-9), 1), whole - 1);
}

/** The first `most` in decode order. One that memory throws out is the last of all: nobody stands behind it. */
function decode(composition: Composition, most: number): void {
  for (const sequence of composition.decodable.slice(0, most))
    if (sequence.state === "preempted" || !composition.decode(sequence)) return;
}

/**
 * model §2: prompts by arrival, partly prefilled ones before unstarted ones. model §3, sequenceCap = resident: at
 * most maxSequences resident sequences a replica, counted when the batch is composed; a partly prefilled prompt
 * already counts and may always continue, so the cap only ends the list of unstarted prompts. iteration: any
 * number resident.
 */
function promptsInOrder(composition: Composition): Sequence[] {
  const { input, replica, waiting, partlyPrefilled } = composition;
  const admissible =
    input.conventions.sequenceCap === "resident"
      ? waiting.slice(0, Math.max(0, input.engine.maxSequences - replica.resident.length))
      : waiting;
  return [...partlyPrefilled, ...admissible];
}

/**
 * model §2: prompts are packed FCFS into so many tokens and places; one that gets no token is not in the batch
 * (§3). mayCut = "last": the last prompt is cut to fit. "first": decode-prioritizing, where a piece that does
 * not fit whole in what is left stops the packing, neither cut nor skipped; only the first prompt of an
 * iteration may be cut, when its next piece exceeds maxTokens ("nothing is ever lost"). "long": orca, where a
 * prompt longer than maxTokens is cut to what is left, now and whenever it goes on. Reading: with chunking a piece
 * is a chunk, and only a chunk longer than maxTokens makes a prompt long.
 */
interface Pack {
  mayCut: "first" | "last" | "long";
  tokens: number;
  places: number;
}
function pack(composition: Composition, { mayCut, tokens, places }: Pack): void {
  const { chunkSize, maxTokens } = composition.input.engine;
  const packed = composition.batch.prefill;
  let left = tokens;
  for (const sequence of promptsInOrder(composition)) {
    if (packed.length === places || left === 0) break;
    // A piece is the prompt (what is left of it), or with chunking its next chunk: at most k tokens. Reading:
    // chunks are not on a grid; a chunk cut by the budget leaves its tokens to the prompt, whose next chunk is
    // again min(k, what is left of the prompt).
    const piece = Math.min(chunkSize ?? Infinity, composition.tokensLeft(sequence));
    if (piece > left && mayCut === "first" && packed.length > 0) break;
    if (piece > left && mayCut === "long") {
      // A prompt that was begun and is not chunked was long when it was begun.
      const whole = sequence.state === "prefilling" ? sequence.toPrefill : composition.tokensLeft(sequence);
      if (Math.min(chunkSize ?? Infinity, whole) <= maxTokens) break;
    }
    const granted = Math.min(piece, left);
    if (!composition.chunk(sequence, granted)) break;
    left -= granted;
  }
}
