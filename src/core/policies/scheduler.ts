/**
 * The interface of a scheduler (batching policy): what it sees, and how it says what an iteration runs.
 *
 * A scheduler reads counts and queue heads and fills a batch. It holds no ids, so it can neither lose a
 * request nor serve one twice; the engine keeps the order of each queue.
 */
import type { Conventions } from "../options/conventions.js";
import type { Definition, Spec } from "../options/definition.js";
import type { Tokens, Instant } from "../numbers/units.js";

/** The prompt at the head of a queue. */
export interface Head {
  /** Whether the queue holds a prompt that this iteration has not taken yet. */
  readonly exists: boolean;
  /** Prompt tokens not computed yet. */
  readonly left: Tokens;
}

/** The first partly prefilled prompt. */
export interface PrefillingHead extends Head {
  /** Decodable sequences that were admitted before it; meaningful under `decodeOrder: admission`. */
  readonly decodesAhead: number;
}

/** The fixed limits of a replica. */
export interface Limits {
  readonly maxTokens: Tokens;
  readonly maxSequences: number;
  /** Most resident sequences: maxSequences under `sequenceCap: resident`, else UNLIMITED. */
  readonly residentCap: number;
  /** Most tokens by which a prompt advances in an iteration; UNLIMITED without chunking. */
  readonly chunk: Tokens;
}

/** The state of a replica at the instant it composes a batch. Heads and counts follow what the batch takes. */
export interface View {
  readonly now: Instant;
  readonly limits: Limits;
  /** Sequences whose prefill has ended and that have tokens to decode. */
  readonly decodable: number;
  /** Sequences prefilling or decoding on this replica, with those the batch has just admitted. */
  readonly resident: number;
  /** Blocks of KV memory that no sequence holds; UNLIMITED without that limit. */
  readonly freeBlocks: number;
  /** The first partly prefilled prompt, by arrival or (`decodeOrder: admission`) by admission. */
  readonly prefilling: PrefillingHead;
  /** The same, as it was called before. */
  readonly partial: PrefillingHead;
  /** The first unstarted prompt: preempted requests, then the discipline's order. */
  readonly waiting: Head;
}

/** Which queue a chunk is taken from; `partial` is what `prefilling` was called before. */
export type PromptQueue = "prefilling" | "partial" | "waiting";

/** The batch being composed. It enforces the limits: what breaks one throws a PlanError. */
export interface Batch {
  /** What is left of the token budget. */
  readonly tokensLeft: Tokens;
  /** What is left of maxSequences. */
  readonly slotsLeft: number;
  /**
   * One token for each of the first `n` sequences in decode order; a later call may raise n. Where KV memory is
   * short the residents admitted last are preempted. Returns how many of the n are granted.
   */
  decode(n: number): number;
  /**
   * `tokens` prompt tokens of the head of a queue, whose next head then comes up. Returns the tokens granted: 0
   * where memory is short, i.e. an unstarted prompt does not fit whole, or somebody was preempted for this batch.
   */
  chunk(from: PromptQueue, tokens: Tokens): Tokens;
  /**
   * Prompts FCFS, each cut to fit: partly prefilled ones before unstarted ones, at most `prompts` of them and
   * `budget` tokens, inside what the batch has left; the same as chunk after chunk.
   * @param whole a piece that does not fit is left, and all behind it, unless it is the batch's first
   * @returns whether `prompts` or `budget` ended it: places with tokens left, or tokens with places left
   */
  pack(prompts?: number, budget?: number, whole?: boolean): boolean;
  /** Where victims of scarce memory may stand anywhere in running order, in the batch too; absent where at its end. */
  readonly oneByOne?: OneByOne | undefined;
  /**
   * What could change the next decision before a sequence finishes or a prompt ends: arrivals (the default)
   * or nothing. Saying "nothing" lets the engine run on without looking at arrivals.
   */
  dependsOn(what: "arrivals" | "nothing"): void;
  /**
   * A limit of the policy's own (a share of the places, say) decided how much of that side the batch takes, not
   * the supply and not the engine's limits. Counted, so that a knob that never matters is seen.
   */
  limited(side: "decode" | "prefill"): void;
}

/** How residents are served where each may cost any other its place (`Scheduler.preemptsByClass`). */
export interface OneByOne {
  /** Sequences that decode in the batch. */
  readonly decodes: number;
  /**
   * A token for the next sequence in decode order.
   * @returns false if memory was short and it was the victim itself
   */
  decodeNext(): boolean;
  /** Residents preempted for the one last asked for that stood before it, by admission, and had nothing in the batch. */
  readonly unservedVictims: number;
  /** The next `n` residents by admission behind that one get nothing in this batch. */
  skip(n: number): void;
}

export interface Scheduler {
  /**
   * Composes one iteration. The same counts and heads must give the same batch: while a batch admits nothing
   * and ends no prompt, the engine repeats it without asking again (unless `everyIteration`).
   */
  compose(view: View, batch: Batch): void;
  /** Ask again at every iteration, e.g. because the policy reads `now`. */
  readonly everyIteration?: boolean;
  /**
   * A promise: while there is nothing to prefill, and at most so many sequences decode, each batch is all of them and
   * nothing else, no limit of the policy's own decides, and only an arrival or a completion changes it. The engine then
   * decodes on without asking. Default: it asks.
   */
  readonly decodesAll?: (limits: Limits) => number;
  /** `decodesAll` holds even while prompts wait: arrivals do not matter while a sequence decodes. */
  readonly decodesFirst?: boolean;
  /** Unstarted prompts are admitted where all of them fits into the KV memory (the default), else where their chunk does. */
  readonly reservesPrompt?: boolean;
  /** Freed KV blocks without identity are taken before all others; default: after them, as all freed ones. */
  readonly emptyBlocksFirst?: boolean;
  /**
   * Under a discipline with classes, the victim of scarce KV memory is the resident of the highest class, of those the
   * one that arrived last; it waits in its class again. Default: the last in running order goes, and comes back first.
   */
  readonly preemptsByClass?: boolean;
  /**
   * Order of the decoding sequences and of the partly prefilled prompts: by the end of their prefill and by
   * arrival (the default, model §2), or both by admission, as vLLM V1 keeps its running requests.
   */
  readonly decodeOrder?: "prefill-end" | "admission";
}

export interface SchedulerDefinition extends Definition<Scheduler> {
  /**
   * Where work piles up in overload while nothing caps the residents: as unstarted prompts, or as prefilled
   * sequences that wait to decode. A stability test starts with its backlog there.
   */
  readonly backlog: "waiting" | "decoding";
  /**
   * The share of maxSequences that decodes may take while prompts wait, and prompts the rest, where it is fixed: what
   * theory's exact boundary covers (theory §3).
   */
  readonly decodeShare?: (spec: Spec) => number | undefined;
  /** Whether its engine schedules asynchronously unless told otherwise. */
  readonly async?: boolean;
  /** Conventions that are part of the policy: others with it are refused. */
  readonly fixes?: Partial<Conventions>;
}
