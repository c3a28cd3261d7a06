/**
 * The fewest replicas that hold an SLO at a given load. Fewest means that all fewer were tried: from the analytic
 * floor (load over what any policy can serve on one) upwards, each count; only far above it in growing steps, and
 * then back through the last of these. Two more than enough are tried too: what another replica would buy.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { pointsOf, withReplicas, type Point, type Setting } from "./points.js";

export interface ReplicaPlan {
  /** Every count that was simulated, ascending. */
  readonly points: readonly Point[];
  /** Fewest for certain; undefined when none up to the most allowed holds for certain. */
  readonly fewest: number | undefined;
  /** A smaller count that may do: its mean holds, its interval does not tell. */
  readonly perhaps: number | undefined;
  /** Fewer cannot serve the load at all. */
  readonly floor: number;
  /** Counts below the fewest that were left out. */
  readonly skipped: boolean;
}

/** Counts simulated at once. */
const BATCH = 4;
/** From so many above the floor on, counts grow by a quarter. */
const ONE_BY_ONE = 16;
const GROWTH = 0.25;
const BEYOND = 2;

/** Replicas below which no policy can serve the load; 1 where no formula tells. */
export const floorOf = (load: number, boundOfOne: number): number =>
  Number.isFinite(boundOfOne) && boundOfOne > 0 ? Math.max(1, Math.ceil(load / boundOfOne - 1e-9)) : 1;

const replicasOf = ({ config }: Point): number => config.engine.replicas;

export async function findReplicas(
  setting: Setting,
  label: string,
  config: SimulationConfig,
  floor: number,
  most: number,
): Promise<ReplicaPlan> {
  let points: Point[] = [];
  const add = async (counts: readonly number[]): Promise<void> => {
    const known = new Set(points.map(replicasOf));
    const fresh = counts.filter((count) => count >= 1 && count <= most && !known.has(count));
    const configs = fresh.map((count) => withReplicas(config, count));
    points = [...points, ...(await pointsOf(setting, label, configs))].sort(
      (a, b) => replicasOf(a) - replicasOf(b),
    );
  };
  const holding = (): number | undefined => {
    const found = points.find(({ verdict }) => verdict === "holds");
    return found && replicasOf(found);
  };
  for (let next = floor; next <= most && holding() === undefined;) {
    const batch: number[] = [];
    while (batch.length < BATCH && next <= most) {
      batch.push(next);
      next += next < floor + ONE_BY_ONE ? 1 : Math.ceil(next * GROWTH);
    }
    await add(batch);
  }
  for (let gap = gapBelow(points, holding()); gap.length > 0; gap = gapBelow(points, holding()))
    await add(gap.slice(0, BATCH));
  const fewest = holding();
  if (fewest !== undefined) await add(Array.from({ length: BEYOND }, (_, i) => fewest + i + 1));
  const perhaps = points.find(
    (point) =>
      point.verdict === "undecided" && point.use.mean <= 1 && replicasOf(point) < (fewest ?? Infinity),
  );
  const tried = points.filter((point) => replicasOf(point) < (fewest ?? Infinity)).length;
  return {
    points,
    fewest,
    perhaps: perhaps && replicasOf(perhaps),
    floor,
    skipped: tried < (fewest ?? most + 1) - floor,
  };
}

/** Counts between the last that did not do and the first that does. */
function gapBelow(points: readonly Point[], fewest: number | undefined): number[] {
  if (fewest === undefined) return [];
  const below = points.map(replicasOf).filter((count) => count < fewest);
  const from = below.length > 0 ? below[below.length - 1] : fewest - 1;
  return Array.from({ length: Math.max(0, fewest - from - 1) }, (_, i) => from + 1 + i);
}
