/**
 * The fast paths held against the plain loop: the run that is measured, and the same one iteration at a time, without
 * fast-forward or forks (`RunOptions.plain`). Both must give the same requests, instants and metrics.
 *
 * A difference under a built-in scheduler is a bug of this program. Under a scheduler of a user's it is a promise that
 * does not hold: `decodesAll` or `decodesFirst`, `dependsOn("nothing")`, or not to need `everyIteration`.
 */
import { InvariantError, PlanError } from "../errors.js";
import { METRICS } from "../measures/metrics.js";
import { builtIn, member, type Registry } from "../configuration/registry.js";
import type { Outcome } from "../engine/outcome.js";

/** Blocks times nanoseconds pass 2^53: their sum is rounded, by as many steps as it is added up in. */
const ROUNDED = new Map([["kv_utilization", 1e-9]]);
/** Where more gaps differ than a log keeps as they are, it tells its percentiles to 2^-12, and two logs may err to both sides (gap-log.ts). */
const COARSE = 1 / 2048;

/** What a run came to, put aside: the buffers of its simulator serve the next run. */
export interface Account {
  readonly columns: Readonly<Record<string, Float64Array | Int32Array>>;
  /** Inter-token latencies by length; undefined where not all are kept as they are. */
  readonly gaps: ReadonlyMap<number, number> | undefined;
  readonly values: Float64Array;
}

/** @param values the run's metrics, in the order of METRICS */
export function accountOf({ shared, arrived }: Outcome, values: Float64Array): Account {
  const { sequences, gaps } = shared;
  const { requests, startedAt, firstTokenAt, finishedAt, largestGap, preemptions } = sequences;
  const upTo = <C extends Float64Array | Int32Array>(column: C): C => column.slice(0, arrived) as C;
  return {
    columns: {
      "arrival (ns)": upTo(requests.arrivedAt),
      "start (ns)": upTo(startedAt),
      "first token (ns)": upTo(firstTokenAt),
      "finish (ns)": upTo(finishedAt),
      ...(largestGap && { "largest gap (ns)": upTo(largestGap) }),
      ...(preemptions && { preemptions: upTo(preemptions) }),
    },
    gaps: gaps.isExact ? gaps.byLength() : undefined,
    values: values.slice(),
  };
}

/** The first difference between two accounts of one trial, in words; undefined if there is none. */
export function differenceOf(fast: Account, plain: Account): string | undefined {
  for (const [name, column] of Object.entries(fast.columns)) {
    const other = plain.columns[name];
    if (column.length !== other.length) return `${column.length} requests, not ${other.length}`;
    for (let id = 0; id < column.length; id++)
      if (!Object.is(column[id], other[id]) && column[id] !== other[id])
        return `request ${id}: ${name} ${column[id]}, not ${other[id]}`;
  }
  return differentGaps(fast.gaps, plain.gaps) ?? differentValues(fast, plain);
}

function differentGaps(fast: Account["gaps"], plain: Account["gaps"]): string | undefined {
  if (!fast || !plain) return undefined;
  for (const gap of new Set([...fast.keys(), ...plain.keys()])) {
    const [counted, expected] = [fast.get(gap) ?? 0, plain.get(gap) ?? 0];
    if (counted !== expected) return `${counted} inter-token latencies of ${gap} ns, not ${expected}`;
  }
  return undefined;
}

/** The first metric in which two runs of the same trial differ, in words. */
export function differentValues(
  fast: Pick<Account, "values"> & Partial<Account>,
  plain: Pick<Account, "values">,
): string | undefined {
  for (const [i, { name }] of METRICS.entries()) {
    const [found, expected] = [fast.values[i], plain.values[i]];
    const isCoarse = name.startsWith("itl_") && "gaps" in fast && fast.gaps === undefined;
    const tolerance = ROUNDED.get(name) ?? (isCoarse ? COARSE : 0);
    const isSame = Object.is(found, expected) || Math.abs(found - expected) <= tolerance * Math.abs(expected);
    if (!isSame) return `${name} ${found}, not ${expected}`;
  }
  const isCoarse = "gaps" in fast && fast.gaps === undefined;
  for (let i = METRICS.length; i < fast.values.length && !isCoarse; i++)
    if (!Object.is(fast.values[i], plain.values[i]))
      return `value ${i - METRICS.length} of what is measured besides is ${fast.values[i]}, not ${plain.values[i]}`;
  return undefined;
}

/**
 * Throws if there is a difference.
 * @param registry what the scheduler is looked up in
 * @throws InvariantError under a built-in scheduler, PlanError under any other
 */
export function demandSame(difference: string | undefined, scheduler: string, registry: Registry): void {
  if (difference === undefined) return;
  const told = `${difference} as one iteration at a time gives`;
  if (builtIn.schedulers.includes(member(registry.schedulers, scheduler)))
    throw new InvariantError(`the fast paths differ from the plain loop: ${told}`);
  throw new PlanError(
    scheduler,
    0,
    `a promise does not hold (decodesAll, decodesFirst, dependsOn("nothing"), or no everyIteration): ${told}`,
  );
}
