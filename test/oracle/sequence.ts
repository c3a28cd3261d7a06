/**
 * The objects of the model (docs/model.md §1): sequences, batches, replicas.
 *
 * Composing a batch moves a sequence's counts (computed tokens, state, blocks); the end of the iteration stamps
 * instants and ends it. Without asynchronous scheduling nothing is ever between the two when a batch is composed.
 */
import type { OracleInput } from "./interface.js";
import type { Memory } from "./memory.js";

/**
 * model §1: unstarted -> prefilling -> decoding -> finished; resident while prefilling or decoding. A preempted
 * sequence waits like an unstarted one, and prefills again. "decoding" from the composition of the batch that
 * ends the prefill on.
 */
export interface Sequence {
  id: number;
  client: number;
  arrivedAt: number;
  promptTokens: number;
  outputTokens: number;
  prefixHitTokens: number;
  state: "unstarted" | "prefilling" | "decoding" | "preempted" | "finished" | "rejected";
  /** tokens it has computed, batches composed but not ended included */
  computed: number;
  /** tokens to compute before it decodes: the prompt; after a preemption with the outputs so far */
  toPrefill: number;
  /** output tokens that batches composed but not ended will emit */
  inFlight: number;
  /** decodes in batches composed but not ended: what they fill is registered when their output is processed */
  decodesInFlight: number;
  startedAt: number;
  /** end of the iteration that ended its prefill; NaN before */
  prefillEndedAt: number;
  finishedAt: number;
  tokenAt: number[];
  preemptedAt: number[];
  replica: number;
}

export interface Chunk {
  sequence: Sequence;
  tokens: number;
  /** tokens computed before */
  cached: number;
  /** whether it ends the prefill */
  isLast: boolean;
}

/** Who gets how many prompt tokens in one iteration, and who decodes one token. */
export interface Batch {
  prefill: Chunk[];
  decode: { sequence: Sequence; cached: number }[];
}

export interface Replica {
  number: number;
  memory: Memory;
  /** its prefilling and decoding sequences, by admission: a sequence stays where its prefill began (model §1) */
  resident: Sequence[];
  /** its preempted sequences: they wait ahead of the central queue, the one preempted last first */
  preempted: Sequence[];
  /** composed and not ended, the running one first: at most one, or two with asynchronous scheduling */
  queue: { endAt: number; batch: Batch }[];
  /** preemptions since one of its requests last got a token */
  vain: number;
}

/** Whether nothing is left to schedule: the last token (B = 0: the prefill) is computed, or in flight. */
export function isLastInFlight(sequence: Sequence): boolean {
  const { state, tokenAt, inFlight, outputTokens } = sequence;
  return state === "decoding" && tokenAt.length + inFlight >= outputTokens;
}

export const isWaiting = ({ state }: Sequence): boolean => state === "unstarted" || state === "preempted";

/**
 * model §3, firstToken = prefill: the iteration that ends the prefill emits output token 1; B - 1 decode
 * iterations follow (B = 1 finishes there). decode: prefill emits nothing; B decode iterations follow.
 * model §1: a prefill-only job (B = 0) has no token and finishes when its prefill does.
 * The recomputation after a preemption is a prefill like any, so it emits the next token, or under `decode` none.
 */
export function emitsAtPrefillEnd({ outputTokens }: Sequence, input: OracleInput): boolean {
  return input.conventions.firstToken === "prefill" && outputTokens > 0;
}

/** Tokens in the cache after its last iteration: with firstToken = prefill the last output never is. */
export function longest(
  sequence: { promptTokens: number; outputTokens: number },
  input: OracleInput,
): number {
  const { promptTokens, outputTokens } = sequence;
  return promptTokens + Math.max(0, outputTokens - (input.conventions.firstToken === "prefill" ? 1 : 0));
}
