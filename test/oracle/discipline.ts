/** The order of the unstarted prompts (docs/model.md §2), from numbers that the input gives for each request. */
import type { OracleInput } from "./interface.js";
import { rulesOf } from "./memory.js";
import type { Sequence } from "./sequence.js";
import { iterationTime } from "./service-time.js";

/** Whoever comes first stands first; ties by id, which is the order of arrival. */
export function inOrder(unstarted: Sequence[], input: OracleInput): Sequence[] {
  const key = (sequence: Sequence): number => {
    const { discipline = { kind: "fcfs" } } = input;
    if (discipline.kind === "fcfs") return 0;
    if (discipline.kind === "priority") return discipline.classes[sequence.id]!;
    return timeAlone(sequence, input) * Math.exp(discipline.logError[sequence.id]!);
  };
  const keyed = unstarted.map((sequence) => ({ sequence, key: key(sequence) }));
  return keyed.sort((a, b) => a.key - b.key || a.sequence.id - b.sequence.id).map(({ sequence }) => sequence);
}

/** One iteration after the other with nobody else there; random times at their mean. */
function timeAlone(sequence: Sequence, input: OracleInput): number {
  const { maxTokens, chunkSize } = input.engine;
  const alone = { ...input, service: { ...input.service, exponential: false } };
  const price = (shape: Parameters<typeof iterationTime>[0]): number => iterationTime(shape, 0, alone);
  const hit = Math.min(sequence.prefixHitTokens, sequence.promptTokens - 1);
  const { block, finds } = rulesOf(input);
  let computed = finds ? hit - (hit % block) : 0;
  let time = 0;
  while (computed < sequence.promptTokens) {
    const tokens = Math.min(sequence.promptTokens - computed, chunkSize ?? Infinity, maxTokens);
    time += price({ decodes: 0, sumKv: 0, chunks: [{ tokens, cached: computed }] });
    computed += tokens;
  }
  let emitted = input.conventions.firstToken === "prefill" ? 1 : 0;
  for (; emitted < sequence.outputTokens; emitted++, computed++)
    time += price({ decodes: 1, sumKv: computed, chunks: [] });
  return time;
}
