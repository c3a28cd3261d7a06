/**
 * One token-budget iteration of one replica: compose -> price -> stretch -> credit.
 *
 * A batch that admits nothing and ends no prompt repeats until something happens that could change it, so
 * equal iterations are run as one stretch (fast-forward). Because iteration times are whole nanoseconds, k
 * iterations last exactly k·S and the result does not depend on the grouping.
 */
import { ConfigError, PlanError } from "./errors.js";
import { cachedTokens, type Plan } from "./plan.js";
import type { Flight, Replica, Shared } from "./replica.js";
import { LAST_INSTANT, NEVER, ns, type Nanoseconds } from "./units.js";

/** Starts the next iteration, or stretch of iterations, of an idle replica that has work. */
export function begin(shared: Shared, plan: Plan, replica: Replica): void {
  plan.compose(replica);
  const { flight } = replica;
  flight.sumKv = flight.decodes > 0 ? replica.sumKv : 0;
  const draw = shared.model.random ? replica.service!.exponential() : 1;
  flight.iterationTime = price(shared, flight, draw);
  // A model of a user's may be wrong in ways that would hang the loop or turn the clock back.
  if (!(flight.iterationTime >= 0 && Number.isInteger(flight.iterationTime)))
    throw new PlanError(
      shared.schedulerName,
      replica.iterations + 1,
      `the service-time model priced an iteration at ${flight.iterationTime} ns (whole, not negative)`,
    );
  flight.startAt = shared.now;
  flight.iterations = repeats(shared, replica);
  flight.endAt = ns(shared.now + flight.iterations * flight.iterationTime);
  if (flight.endAt > LAST_INSTANT)
    throw new ConfigError([
      { key: "horizon.tmaxSeconds", message: "the drain would pass 2^53 ns (the clock counts 104 days)" },
    ]);
}

/** Under `mixedBatch: max` a mixed batch costs as much as its dearer side (model §3). */
function price(shared: Shared, flight: Flight, draw: number): Nanoseconds {
  const { model } = shared;
  const { decodes, sumKv, prefillTokens, chunkCount } = flight;
  if (!shared.pricesDearerSide || decodes === 0 || prefillTokens === 0) return model.price(flight, draw);
  flight.decodes = 0;
  flight.sumKv = 0;
  const prefill = model.price(flight, draw);
  flight.decodes = decodes;
  flight.sumKv = sumKv;
  flight.prefillTokens = 0;
  flight.chunkCount = 0;
  const decode = model.price(flight, draw);
  flight.prefillTokens = prefillTokens;
  flight.chunkCount = chunkCount;
  return ns(Math.max(prefill, decode));
}

/** For how many iterations the batch just composed runs unchanged. */
function repeats(shared: Shared, replica: Replica): number {
  const { flight, pool } = replica;
  const { scheduler, model, sequences } = shared;
  if (flight.admitted > 0 || flight.ended.length > 0 || model.random || scheduler.everyIteration) return 1;
  // Up to the next completion …
  let most = flight.decodes > 0 ? pool.nextFinish - pool.clock : Infinity;
  // … the last whole chunk that does not end its prompt …
  for (let i = 0; i < flight.chunkCount; i++)
    most = Math.min(most, Math.ceil(sequences.promptLeft[flight.chunkId[i]] / flight.chunkTokens[i]));
  // … or the first iteration that ends at or after the next arrival.
  if (flight.dependsOnArrivals && shared.nextArrivalAt < NEVER) {
    const ahead = shared.nextArrivalAt - shared.now;
    most = Math.min(most, Math.max(1, Math.ceil(ahead / flight.iterationTime)));
  }
  return most;
}

/** Ends a stretch early, at its first iteration that ends at `instant` or later (`after`: strictly later). */
export function cut(flight: Flight, instant: Nanoseconds, after: boolean): void {
  const elapsed = (instant - flight.startAt) / flight.iterationTime;
  const iterations = Math.max(1, after ? Math.floor(elapsed) + 1 : Math.ceil(elapsed));
  if (iterations >= flight.iterations) return;
  flight.iterations = iterations;
  flight.endAt = ns(flight.startAt + iterations * flight.iterationTime);
}

/** Credits the stretch that ends now: tokens, first tokens, completions, and the ITLs of the pool. */
export function credit(shared: Shared, replica: Replica): void {
  const { flight } = replica;
  const { iterations, chunkCount } = flight;
  const from = Math.max(flight.startAt, shared.measuredFrom);
  if (shared.now > from) replica.busyTime += shared.now - from;
  flight.endAt = NEVER;
  replica.iterations += iterations;
  if (flight.limitsDecode) replica.decodeLimited += iterations;
  if (flight.limitsPrefill) replica.prefillLimited += iterations;
  if (chunkCount > 0) {
    replica.prefillTokens += iterations * flight.prefillTokens;
    // The plan took the first iteration's tokens; the repeats follow.
    if (iterations > 1) {
      const { promptLeft } = shared.sequences;
      for (let i = 0; i < chunkCount; i++)
        promptLeft[flight.chunkId[i]] -= (iterations - 1) * flight.chunkTokens[i];
    }
  }
  if (flight.decodes > 0) tick(shared, replica);
  if (flight.ended.length > 0) endPrefills(shared, replica);
}

/** Moves the decode clock: one token an iteration for every active sequence. */
function tick(shared: Shared, replica: Replica): void {
  const { flight, pool } = replica;
  const { sequences, gaps, firstMeasured } = shared;
  const { decodes, iterations, iterationTime } = flight;
  const firstTickAt = flight.startAt + iterationTime;
  let steady = decodes - replica.activeUnmeasured;
  const repeated = steady * (iterations - 1);
  for (let i = 0; i < pool.freshCount; i++) {
    const id = pool.fresh[i];
    const lastTokenAt = sequences.lastTokenAt[id];
    // Without an earlier token this tick emits output token 1, and no gap ends with it.
    if (lastTokenAt !== lastTokenAt) sequences.firstTokenAt[id] = firstTickAt;
    if (id < firstMeasured) continue;
    if (lastTokenAt === lastTokenAt) gaps.add(firstTickAt - lastTokenAt, 1);
    steady--;
  }
  // Decoding straight on, the first gap is like the others.
  if (flight.startAt === replica.lastTickAt) gaps.add(iterationTime, repeated + steady);
  else {
    gaps.add(iterationTime, repeated);
    gaps.add(firstTickAt - replica.lastTickAt, steady);
  }
  pool.freshCount = 0;
  pool.clock += iterations;
  replica.lastTickAt = shared.now;
  replica.sumKv += decodes * iterations;
  replica.decodeTokens += decodes * iterations;
  while (pool.active > 0 && pool.nextFinish <= pool.clock) {
    const id = pool.finishNext();
    replica.sumKv -= cachedTokens(shared, id, 0);
    if (id < firstMeasured) replica.activeUnmeasured--;
    finish(shared, replica, id);
  }
}

/** Prompts whose prefill ends: first tokens, by convention, and the way into the pool, by id (model §2). */
function endPrefills(shared: Shared, replica: Replica): void {
  const { sequences, emitsAtPrefillEnd } = shared;
  const { ended } = replica.flight;
  for (let i = 0; i < ended.length; i++) {
    const id = ended.ids[i];
    let decodes = sequences.requests.outputTokens[id];
    const emitted = emitsAtPrefillEnd && decodes > 0;
    sequences.firstTokenAt[id] = emitted ? shared.now : NaN;
    sequences.lastTokenAt[id] = emitted ? shared.now : NaN;
    if (emitted) decodes--;
    if (decodes === 0) {
      finish(shared, replica, id);
    } else {
      sequences.decodeLeft[id] = decodes;
      replica.pool.append(id, sequences.place);
    }
  }
}

function finish(shared: Shared, replica: Replica, id: number): void {
  shared.sequences.finishedAt[id] = shared.now;
  replica.resident--;
  shared.completed++;
  if (id >= shared.firstMeasured) shared.completedMeasured++;
}
