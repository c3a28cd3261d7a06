/**
 * Preemption: who goes when KV memory runs out, and what that comes to. A victim gives back its blocks and waits
 * again; it will compute its tokens anew, except in the blocks of its own that survive (docs/model.md §1).
 */
import type { WaitingQueue } from "../policies/discipline.js";
import { ConfigError } from "../errors.js";
import { giveBack, type OpenBatch } from "./open-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { cachedTokens, dropActive } from "./residents.js";
import { toSeconds } from "../numbers/units.js";

/**
 * Preempts the resident that is last in running order and not in the batch being composed. Running order is that of
 * admission, or the decodes in their order and then the partly prefilled prompts.
 * @returns its id; -1 if there is none
 */
export function preemptLast(batch: OpenBatch): number {
  const { shared, replica, scheduled, cursor } = batch;
  const { pool, prefilling } = replica;
  const { admission, place } = shared.sequences;
  const { byAdmission } = replica.engine;
  const order = byAdmission ? admission : place;
  const later = (a: number, b: number): number => (b < 0 || (a >= 0 && order[a] > order[b]) ? a : b);
  const part = prefilling.length > cursor ? prefilling.ids[prefilling.length - 1] : -1;
  const isPart = part >= 0 && !byAdmission;
  // Of the active ones the first `scheduled.decodes` have their token already.
  const active = !isPart && pool.active > scheduled.decodes ? pool.lastActive(place) : -1;
  const idle = isPart ? -1 : pool.lastIdle;
  let last = -1;
  const { finishing } = replica.scheduled;
  if (replica.scheduled !== scheduled && !isPart)
    for (let i = 0; i < finishing.length; i++) last = later(finishing.ids[i], last);
  const id = later(part, later(active, later(idle, last)));
  if (id >= 0) preempt(batch, id);
  return id;
}

/**
 * Preempts the resident of the highest class, of those who arrived last, of those who were admitted first: vLLM's
 * policy `priority`. It may be in the batch being composed, which then gives its tokens back.
 * @returns its id
 */
export function preemptByClass(batch: OpenBatch): number {
  const { shared, replica, scheduled } = batch;
  const { admission, requests } = shared.sequences;
  const { waiting } = replica;
  const isWorse = (a: number, b: number): boolean => {
    const byClass =
      waiting.classOf!(a) - waiting.classOf!(b) || requests.arrivedAt[a] - requests.arrivedAt[b];
    return byClass > 0 || (byClass === 0 && admission[a] < admission[b]);
  };
  let worst = -1;
  const look = (id: number): void => {
    if (worst < 0 || isWorse(id, worst)) worst = id;
  };
  replica.pool.forEach(look);
  for (const { ids, length } of [replica.prefilling, replica.skipped])
    for (let i = 0; i < length; i++) look(ids[i]);
  const { finishing } = replica.scheduled;
  if (replica.scheduled !== scheduled) for (let i = 0; i < finishing.length; i++) look(finishing.ids[i]);
  preempt(batch, worst);
  return worst;
}

/** A resident loses its place and its memory, and what the batch holds of it. */
function preempt(batch: OpenBatch, id: number): void {
  const { shared, replica, scheduled } = batch;
  const { sequences } = shared;
  const { decodeLeft, promptLeft } = sequences;
  replica.resident--;
  replica.preemptions++;
  checkProgress(shared, replica);
  scheduled.preempted++;
  sequences.preemptions![id]++;
  const memory = replica.memory!;
  if (waitsForItsLast(batch, id)) {
    // It finishes out of the queue when its token comes.
    replica.scheduled.finishing.remove(id);
    replica.scheduled.finishingUnseated.push(id);
    const cached = cachedTokens(shared, id, 0);
    memory.release(id, cached, cached - (replica.scheduled.ended.includes(id) ? 0 : 1));
    return;
  }
  const part = replica.prefilling.indexOf(id);
  const given = giveBack(batch, id, part);
  if (part >= 0) replica.prefilling.remove(id);
  else leavePool(shared, replica, id);
  const known = sequences.known(id);
  const left = part >= 0 ? promptLeft[id] : 0;
  const cached = part >= 0 ? known - left : cachedTokens(shared, id, decodeLeft[id]);
  if (part < 0) batch.decodeBlocks -= memory.blocksFor(cached + given) - memory.blocksFor(cached);
  memory.preempt(id, cached + given, cached + given - unknown(batch, id, given));
  replica.recomputedTokens += known - left;
  promptLeft[id] = known;
  waitAgain(replica, id);
}

/**
 * Two requests of one class that arrived at the same instant may preempt each other for ever, each whenever the other has
 * been let in again (vLLM as well): a trial that would never end is ended here. Who is never a victim is through with its
 * tokens after as many iterations as the memory holds tokens, at the most; ten times that is taken for ever.
 * @throws ConfigError where nobody got a token since many preemptions
 */
function checkProgress(shared: TrialState, replica: Replica): void {
  const { engine, memory, preemptions, decodeTokens, resumedTokens, answered } = replica;
  const progress = decodeTokens + resumedTokens + answered;
  if (progress !== replica.progress) {
    replica.progress = progress;
    replica.preemptionsAtProgress = preemptions;
  }
  const vain = preemptions - replica.preemptionsAtProgress;
  if (vain <= 1000 + 10 * memory!.usable * engine.kvRules.blockTokens) return;
  const requests = "requests of one class that arrive at the same instant preempt each other for ever";
  throw new ConfigError([
    {
      key: "engine.kvTokens",
      message: `no end of preemptions: ${vain} at ${Number(toSeconds(shared.now).toPrecision(6))} s without a token for anyone (scheduler ${engine.schedulerName}; ${requests}: more KV memory, or other classes or instants)`,
    },
  ]);
}

/** Whether the last token of a resident comes with the batch under way. */
const waitsForItsLast = ({ replica, scheduled }: OpenBatch, id: number): boolean =>
  replica.scheduled !== scheduled && replica.scheduled.finishing.includes(id);

/**
 * A block has its identity as soon as it is to be filled, if all of its tokens are known then: how many of a victim's
 * last tokens are not, because the batch under way emits the output before them.
 */
function unknown({ shared, replica, scheduled }: OpenBatch, id: number, given: number): number {
  const ahead = replica.scheduled;
  if (ahead === scheduled) return 0;
  // The sequence has just left the active ones, if it was one of them.
  const decodes = ahead.decodes > 0 && shared.sequences.tickedAt[id] === replica.pool.clock;
  return decodes || (given > 0 && ahead.ended.includes(id)) ? 1 : 0;
}

function leavePool(shared: TrialState, replica: Replica, id: number): void {
  const { pool, skipped } = replica;
  if (skipped.includes(id)) skipped.remove(id);
  else if (!pool.dropIdle(id)) dropActive(shared, replica, id);
}

/** It waits before all that never started, the one preempted last first; or in its class, by arrival. */
function waitAgain({ engine, preempted, waiting }: Replica, id: number): void {
  if (engine.preemptsByClass) preempted.insertWhere(id, (a, b) => comesBefore(waiting, a, b));
  else preempted.pushFront(id);
}

/** vLLM's order of the waiting under its policy `priority`: by class, then by arrival, which ids follow. */
export function comesBefore(waiting: WaitingQueue, a: number, b: number): boolean {
  const byClass = waiting.classOf!(a) - waiting.classOf!(b);
  return byClass < 0 || (byClass === 0 && a < b);
}
