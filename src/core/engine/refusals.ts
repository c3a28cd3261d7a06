/** What a scheduler is told that asked for what it may not have: which limit, what it asked and what was left. */
import { PlanError } from "../errors.js";
import type { Replica } from "../state/replica.js";
import type { Batch, PromptQueue, View } from "../policies/scheduler.js";

/** A batch being composed, as a refusal tells of it (plan.ts). */
interface Asked extends View, Batch {
  readonly replica: Replica;
  readonly decodes: number;
}

/** @throws PlanError naming the scheduler, its iteration and the rule */
export function refuse({ engine, iterations }: Replica, rule: string): never {
  throw new PlanError(engine.schedulerName, iterations + 1, rule);
}

/** Of `n` decodes. */
export function refuseDecodes(
  { replica, decodes, decodable, slotsLeft, tokensLeft }: Asked,
  n: number,
): never {
  const more = n - decodes;
  if (!(Number.isInteger(n) && n >= 0)) refuse(replica, `decodes must be a whole number: asked ${n}`);
  if (n < decodes) refuse(replica, `decodes taken back: asked ${n}, placed ${decodes}`);
  if (n > decodable) refuse(replica, `more decodes than sequences: asked ${n}, decodable ${decodable}`);
  if (more > slotsLeft) refuse(replica, `over the sequence cap: asked ${more}, left ${slotsLeft}`);
  refuse(replica, `over the token budget: asked ${more}, left ${tokensLeft}`);
}

/** Of a chunk of `asked` tokens from the head of a queue. */
export function refuseChunk(batch: Asked, from: PromptQueue, asked: number): never {
  const { replica, limits, tokensLeft, slotsLeft, resident } = batch;
  const head = batch[from];
  if (!head.exists) refuse(replica, `no ${from} prompt to take a chunk of`);
  if (!(Number.isInteger(asked) && asked >= 1))
    refuse(replica, `a chunk has at least 1 token: asked ${asked}`);
  if (asked > head.left) refuse(replica, `longer than the prompt: asked ${asked}, left ${head.left}`);
  if (asked > limits.chunk) refuse(replica, `over the chunk size: asked ${asked} of ${limits.chunk}`);
  if (asked > tokensLeft) refuse(replica, `over the token budget: asked ${asked}, left ${tokensLeft}`);
  if (slotsLeft < 1) refuse(replica, "over the sequence cap: no place left");
  refuse(replica, `over the resident cap: ${resident} of ${limits.residentCap}`);
}
