/**
 * fast-check as the tests import it while scripts/test-seeds.js tries many seeds (vitest.config.ts puts it there): each
 * property is asserted with one seed after the other, in a process that has loaded everything once. There are
 * LLMSIM_TEST_SEEDS of them, from the suite's on. LLMSIM_PROPERTY_RUNS is the most runs a seed, as long as all together
 * are what the property asks for: what is counted over its cases is asserted after the last seed.
 */
import * as real from "fast-check";
import { SEED } from "./seed.js";

export * from "fast-check";

const count = Number(process.env.LLMSIM_TEST_SEEDS);
const seeds = Array.from({ length: count }, (_, i) => SEED + i);
const most = Number(process.env.LLMSIM_PROPERTY_RUNS ?? Infinity);
const keepsGoing = process.env.LLMSIM_TEST_KEEP_GOING === "1";

type Details = real.RunDetails<unknown>;
const check = real.check as (
  property: real.IRawProperty<unknown>,
  given: real.Parameters<unknown>,
) => Details | Promise<Details>;

function assert(property: real.IRawProperty<unknown>, given: real.Parameters<unknown> = {}) {
  const { numRuns: wanted = 100 } = given;
  const numRuns = Math.max(Math.ceil(wanted / count), Math.min(wanted, most));
  const failures: string[] = [];
  /** @returns whether the next seed is to be tried */
  const judge = (details: Details): boolean => {
    if (details.failed)
      failures.push(`${real.defaultReportMessage(details)}\n${String(details.errorInstance)}`);
    return !details.failed || keepsGoing;
  };
  const tell = (): void => {
    if (failures.length > 0) throw new Error(failures.join("\n"));
  };
  const withSeed = (seed: number) => check(property, { ...given, numRuns, seed });
  if (!property.isAsync()) {
    seeds.every((seed) => judge(withSeed(seed) as Details));
    return tell();
  }
  return (async () => {
    for (const seed of seeds) if (!judge(await withSeed(seed))) break;
    tell();
  })();
}

export default { ...real.default, assert: assert as typeof real.assert };
