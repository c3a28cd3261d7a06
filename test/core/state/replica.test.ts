/** No field of a replica or of a batch is forgotten when a trial begins, or when a window takes leave (snapshot.ts). */
import { expect, test } from "vitest";
import { NEVER, UNLIMITED, asInstant, asDuration } from "../../../src/core/numbers/units.js";
import { IdDeque } from "../../../src/core/queues/id-deque.js";
import type { EngineSetup } from "../../../src/core/state/engine-setup.js";
import { Replica } from "../../../src/core/state/replica.js";
import { GapLog } from "../../../src/core/state/gap-log.js";
import { ScheduledBatch } from "../../../src/core/state/scheduled-batch.js";
import { Sequences } from "../../../src/core/state/sequences.js";
import { copyMoving, type Moving, TrialState } from "../../../src/core/state/trial-state.js";
import { Requests } from "../../../src/core/workload/requests.js";

const ENGINE = {
  usableBlocks: UNLIMITED,
  kvRules: { blockTokens: 16, finds: true, reservesPrompt: true, watermarkBlocks: 0, emptyFirst: false },
  newKvCache: null,
} as unknown as EngineSetup;
type Plain = Record<string, unknown>;

/** Its numbers and flags, by name. */
const plainOf = (of: object): Plain =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => /^(number|boolean)$/.test(typeof value)));

/** Every number and flag is another than it was. */
function change(of: object): void {
  let next = 1;
  for (const [name, value] of Object.entries(plainOf(of)))
    if (name !== "index") (of as Plain)[name] = typeof value === "boolean" ? !value : next++;
}

function replica(): Replica {
  const made = new Replica(0);
  made.reset(ENGINE, new IdDeque(), undefined);
  return made;
}

test("a replica's copy has all of it", () => {
  const [from, to] = [replica(), replica()];
  change(from);
  from.hasNext = false;
  from.copyInto(to);
  expect(plainOf(to)).toEqual(plainOf(from));
  expect(Object.keys(plainOf(from)).length).toBeGreaterThan(20);
});

test("a replica that is reset is as a new one", () => {
  const used = replica();
  change(used);
  used.reset(ENGINE, new IdDeque(), undefined);
  expect(plainOf(used)).toEqual(plainOf(replica()));
});

test("a batch's copy has all of it; one that is cleared holds nothing", () => {
  const [from, to] = [new ScheduledBatch(), new ScheduledBatch()];
  change(from);
  from.chunkCount = 2;
  from.copyInto(to);
  expect(plainOf(to)).toEqual(plainOf(from));
  from.clear();
  const held = ["decodes", "prefillTokens", "chunkCount", "admitted", "preempted"] as const;
  expect(held.map((name) => from[name])).toEqual(held.map(() => 0));
  expect(new ScheduledBatch().endAt).toBe(NEVER);
});

test("a window that takes leave keeps all that the loop moves", () => {
  const state = (): TrialState =>
    new TrialState({
      sequences: new Sequences(new Requests()),
      gaps: new GapLog(),
      entry: ENGINE,
      router: null,
      routing: null,
      clients: null,
      isPlain: false,
      emitsAtPrefillEnd: false,
      overhead: asDuration(0),
      warmup: asInstant(0),
    });
  const [from, to] = [state(), state()];
  change(from);
  const kept = {} as Moving;
  copyMoving(from, kept);
  copyMoving(kept, to);
  // What a trial begins with, and, in an open one, where its measurement starts; the loop is told `until` at each call.
  const fixed = [
    "isPlain",
    "emitsAtPrefillEnd",
    "overhead",
    "warmup",
    "firstMeasured",
    "measuredFrom",
    "until",
  ];
  for (const name of fixed) (to as unknown as Plain)[name] = (from as unknown as Plain)[name];
  expect(plainOf(to)).toEqual(plainOf(from));
});
