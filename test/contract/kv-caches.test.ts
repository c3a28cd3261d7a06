/**
 * What a KV cache owes (state/kv-cache.ts): a request gets blocks that nobody holds, gives back those it has, and finds
 * of its own what nobody has taken. The counted cache and one that knows every block say the same, asked one by one and
 * in whole runs: the engine tells a cache that wants to know whose each block is.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { prepare } from "../../src/core/configuration/check-config.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import { advance } from "../../src/core/engine/loop.js";
import { NEVER } from "../../src/core/numbers/units.js";
import { CountedBlocks } from "../../src/core/state/counted-blocks.js";
import type { KvCache, KvRules } from "../../src/core/state/kv-cache.js";
import { outcomeOf, Simulator } from "../../src/core/trial/simulate.js";
import { BlockByBlock } from "./block-by-block.js";
import { account, crowd, memoryEngine, requestsOf, rows } from "./workloads.js";

const CACHES: readonly (readonly [string, (usable: number, rules: KvRules) => KvCache])[] = [
  ["counted blocks", (usable, rules) => new CountedBlocks(usable, rules)],
  ["block by block", (usable, rules) => new BlockByBlock(usable, rules)],
];

const rulesOf = fc.record({
  blockTokens: fc.constantFrom(1, 4, 16),
  finds: fc.boolean(),
  reservesPrompt: fc.boolean(),
  watermarkBlocks: fc.constant(0),
  emptyFirst: fc.boolean(),
});
/** What may happen next: to which request, and how many tokens it concerns. */
const steps = fc.array(
  fc.record({
    what: fc.constantFrom("admit", "grow", "grow", "release", "preempt"),
    who: fc.nat({ max: 6 }),
    tokens: fc.integer({ min: 1, max: 90 }),
    unknown: fc.nat({ max: 2 }),
  }),
  { maxLength: 60 },
);
const USABLE = 24;

describe.each(CACHES)("%s", (_, make) => {
  test("blocks are held or free; who is let in has what it needs, and finds its own until they are taken", () => {
    fc.assert(
      fc.property(rulesOf, steps, (rules, steps) => {
        const cache = make(USABLE, rules);
        const other = new BlockByBlock(USABLE, rules);
        /** Tokens of those that are in. */
        const inside = new Map<number, number>();
        for (const { what, who, tokens, unknown } of steps) {
          const held = inside.get(who);
          if (what === "admit" && held === undefined) {
            const found = cache.lookup(who, tokens);
            expect(found).toBe(other.lookup(who, tokens));
            expect(found % rules.blockTokens).toBe(0);
            expect(found).toBeLessThan(tokens);
            if (!rules.finds) expect(found).toBe(0);
            expect(cache.fits(who, tokens, 0)).toBe(cache.blocksFor(tokens) <= cache.free);
            if (!cache.fits(who, tokens, 0)) continue;
            for (const one of [cache, other]) one.admit(who, found, tokens);
            inside.set(who, tokens);
          } else if (what === "grow" && held !== undefined) {
            if (cache.blocksFor(held + tokens) - cache.blocksFor(held) > cache.free) continue;
            for (const one of [cache, other]) one.grow(who, held, held + tokens);
            inside.set(who, held + tokens);
          } else if (held !== undefined && (what === "release" || what === "preempt")) {
            for (const one of [cache, other]) one[what](who, held, Math.max(0, held - unknown));
            inside.delete(who);
          }
          const sum = [...inside.values()].reduce((sum, held) => sum + cache.blocksFor(held), 0);
          expect([cache.used, cache.free]).toEqual([sum, USABLE - sum]);
          for (let id = 0; id <= 6; id++)
            if (!inside.has(id)) expect(cache.before(id)).toBe(other.before(id));
        }
      }),
    );
  });

  test("a copy goes its own way", () => {
    const rules = {
      blockTokens: 4,
      finds: true,
      reservesPrompt: true,
      watermarkBlocks: 0,
      emptyFirst: false,
    };
    const cache = make(8, rules);
    cache.admit(1, 0, 12);
    cache.preempt(1, 12, 12);
    const copy = cache.copyInto(null);
    cache.admit(2, 0, 32);
    expect([cache.free, cache.lookup(1, 12)]).toEqual([0, 0]);
    expect([copy.free, copy.lookup(1, 13), copy.before(1)]).toEqual([8, 12, 5]);
    copy.admit(3, 0, 24); // takes the five that were never used, and 1's last
    expect(copy.lookup(1, 13)).toBe(8);
  });
});

describe("in the engine", () => {
  const schedulers = fc.constantFrom(...builtIn.schedulers.map(({ name }) => name));
  const routers = fc.constantFrom(...builtIn.routers.flatMap(({ examples }) => examples));
  const orders = fc.constantFrom(...builtIn.disciplines.flatMap(({ examples }) => examples));
  const fleets = fc.record({
    limits: memoryEngine,
    replicas: fc.integer({ min: 1, max: 2 }),
    async: fc.boolean(),
  });

  test("a cache that knows every block is told enough to come to the same run", () => {
    let preempting = 0;
    fc.assert(
      fc.property(
        fc.oneof(rows, crowd),
        fleets,
        schedulers,
        routers,
        orders,
        fc.constantFrom(undefined, false),
        fc.boolean(),
        (rows, { limits, ...fleet }, scheduler, router, discipline, prefixCaching, reservePrompt) => {
          const kvTokens = limits.kvTokens ?? 16 * 17;
          const config = prepare({
            workload: {
              arrivals: { kind: "poisson", ratePerSecond: 1 },
              promptTokens: { kind: "fixed", tokens: 1 },
              outputTokens: { kind: "fixed", tokens: 1 },
            },
            service: { kind: "affine", cMs: 10, aMs: 1 },
            scheduler: { kind: scheduler },
            engine: {
              ...limits,
              ...fleet,
              kvTokens,
              router,
              discipline,
              reservePrompt,
              ...(prefixCaching === false && { prefixCaching }),
            },
            horizon: { tmaxSeconds: 1e6 },
          });
          const simulator = new Simulator();
          const of = (make?: (usable: number, rules: KvRules) => KvCache): object => {
            const state = simulator.begin(config, requestsOf(rows), { seed: 1, trial: 1 });
            const { usableBlocks, kvRules } = state.shared.entry;
            if (make) for (const replica of state.replicas) replica.memory = make(usableBlocks, kvRules);
            advance(state, NEVER);
            if (!make && state.replicas.some(({ preemptions }) => preemptions > 0)) preempting++;
            return account({ outcome: outcomeOf(state) });
          };
          const counted = of();
          expect(of(CACHES[1][1])).toEqual(counted);
        },
      ),
    );
    // Over a quarter of a hundred cases preempt; of a fifth, fewer than four would be found once in 10⁶ seeds.
    expect(preempting).toBeGreaterThan(3);
  });
});
