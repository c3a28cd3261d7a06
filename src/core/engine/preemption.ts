/**
 * Preemption: who goes when KV memory runs out, and what that comes to. A victim gives back its blocks and waits
 * again; it will compute its tokens anew, except in the blocks of its own that survive (docs/model.md §1).
 */
import type { PromptOrder } from "../policies/discipline.js";
import { ConfigError } from "../errors.js";
import { giveBack, type OpenBatch } from "./open-batch.js";
import type { Replica, Shared } from "../state/replica.js";
import { cachedTokens, dropActive } from "./residents.js";
import { toSeconds } from "../numbers/units.js";

/**
 * Preempts the resident that is last in running order and not in the batch being composed. Running order is that of
 * admission, or the decodes in their order and then the partly prefilled prompts.
 * @returns its id; -1 if there is none
 */
export function preemptLast(batch: OpenBatch): number {
  const { shared, replica, flight, cursor } = batch;
  const { pool, partial } = replica;
  const { admission, place } = shared.sequences;
  const order = shared.byAdmission ? admission : place;
  const later = (a: number, b: number): number => (b < 0 || (a >= 0 && order[a] > order[b]) ? a : b);
  const part = partial.length > cursor ? partial.ids[partial.length - 1] : -1;
  const isPart = part >= 0 && !shared.byAdmission;
  // Of the active ones the first `flight.decodes` have their token already.
  const active = !isPart && pool.active > flight.decodes ? pool.lastActive(place) : -1;
  const idle = isPart ? -1 : pool.lastIdle;
  let last = -1;
  const { finishing } = replica.flight;
  if (replica.flight !== flight && !isPart)
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
  const { shared, replica, flight } = batch;
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
  for (const { ids, length } of [replica.partial, replica.skipped])
    for (let i = 0; i < length; i++) look(ids[i]);
  const { finishing } = replica.flight;
  if (replica.flight !== flight) for (let i = 0; i < finishing.length; i++) look(finishing.ids[i]);
  preempt(batch, worst);
  return worst;
}

/** A resident loses its place and its memory, and what the batch holds of it. */
function preempt(batch: OpenBatch, id: number): void {
  const { shared, replica, flight } = batch;
  const { sequences } = shared;
  const { decodeLeft, promptLeft } = sequences;
  replica.resident--;
  replica.preemptions++;
  checkProgress(shared, replica);
  flight.preempted++;
  sequences.preemptions![id]++;
  const memory = replica.memory!;
  if (waitsForItsLast(batch, id)) {
    // It finishes out of the queue when its token comes.
    replica.flight.finishing.remove(id);
    replica.flight.finishingUnseated.push(id);
    const cached = cachedTokens(shared, id, 0);
    memory.release(memory.blocksFor(cached), cached - (replica.flight.ended.includes(id) ? 0 : 1));
    return;
  }
  const part = replica.partial.indexOf(id);
  const scheduled = giveBack(batch, id, part);
  if (part >= 0) replica.partial.remove(id);
  else leavePool(shared, replica, id);
  const known = sequences.known(id);
  const left = part >= 0 ? promptLeft[id] : 0;
  const cached = part >= 0 ? known - left : cachedTokens(shared, id, decodeLeft[id]);
  const blocks = memory.blocksFor(cached + scheduled);
  if (part < 0) batch.decodeBlocks -= blocks - memory.blocksFor(cached);
  memory.preempt(id, blocks, cached + scheduled - unknown(batch, id, scheduled));
  replica.recomputedTokens += known - left;
  promptLeft[id] = known;
  waitAgain(shared, replica, id);
}

/**
 * Two requests of one class that arrived at the same instant may preempt each other for ever, each whenever the other has
 * been let in again (vLLM as well): a trial that would never end is ended here. Who is never a victim is through with its
 * tokens after as many iterations as the memory holds tokens, at the most; ten times that is taken for ever.
 * @throws ConfigError where nobody got a token since many preemptions
 */
function checkProgress(shared: Shared, replica: Replica): void {
  const { memory, preemptions, decodeTokens, resumedTokens, answered } = replica;
  const progress = decodeTokens + resumedTokens + answered;
  if (progress !== replica.progress) {
    replica.progress = progress;
    replica.preemptionsAtProgress = preemptions;
  }
  const vain = preemptions - replica.preemptionsAtProgress;
  if (vain <= 1000 + 10 * memory!.usable * memory!.rules.blockTokens) return;
  const requests = "requests of one class that arrive at the same instant preempt each other for ever";
  throw new ConfigError([
    {
      key: "engine.kvTokens",
      message: `no end of preemptions: ${vain} at ${Number(toSeconds(shared.now).toPrecision(6))} s without a token for anyone (scheduler ${shared.schedulerName}; ${requests}: more KV memory, or other classes or instants)`,
    },
  ]);
}

/** Whether the last token of a resident is in flight. */
const waitsForItsLast = ({ replica, flight }: OpenBatch, id: number): boolean =>
  replica.flight !== flight && replica.flight.finishing.includes(id);

/**
 * A block has its identity as soon as it is to be filled, if all of its tokens are known then: how many of a victim's
 * last tokens are not, because the batch under way emits the output before them.
 */
function unknown({ shared, replica, flight }: OpenBatch, id: number, scheduled: number): number {
  const ahead = replica.flight;
  if (ahead === flight) return 0;
  // The sequence has just left the active ones, if it was one of them.
  const decodes = ahead.decodes > 0 && shared.sequences.tickedAt[id] === replica.pool.clock;
  return decodes || (scheduled > 0 && ahead.ended.includes(id)) ? 1 : 0;
}

function leavePool(shared: Shared, replica: Replica, id: number): void {
  const { pool, skipped } = replica;
  if (skipped.includes(id)) skipped.remove(id);
  else if (!pool.dropIdle(id)) dropActive(shared, replica, id);
}

/** It waits before all that never started, the one preempted last first; or in its class, by arrival. */
function waitAgain({ preemptsByClass }: Shared, { returned, waiting }: Replica, id: number): void {
  if (preemptsByClass) returned.insertWhere(id, (a, b) => comesBefore(waiting, a, b));
  else returned.pushFront(id);
}

/** vLLM's order of the waiting under its policy `priority`: by class, then by arrival, which ids follow. */
export function comesBefore(waiting: PromptOrder, a: number, b: number): boolean {
  const byClass = waiting.classOf!(a) - waiting.classOf!(b);
  return byClass < 0 || (byClass === 0 && a < b);
}
