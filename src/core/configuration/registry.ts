/** The registry: every member of every family. An argument of `simulate`, so that a plugin is one more entry. */
import type { ArrivalDefinition } from "../workload/arrival-process.js";
import * as arrivals from "../workload/arrivals/index.js";
import type { DisciplineDefinition } from "../policies/discipline.js";
import * as disciplines from "../policies/disciplines/index.js";
import type { LengthDefinition } from "../workload/length-law.js";
import * as lengths from "../workload/lengths/index.js";
import type { RouterDefinition } from "../policies/router.js";
import * as routers from "../policies/routers/index.js";
import type { SchedulerDefinition } from "../policies/scheduler.js";
import * as schedulers from "../policies/schedulers/index.js";
import type { ServiceTimeDefinition } from "../service-times/service-time-model.js";
import * as serviceTimes from "../service-times/index.js";

export interface Registry {
  readonly schedulers: readonly SchedulerDefinition[];
  readonly disciplines: readonly DisciplineDefinition[];
  readonly arrivals: readonly ArrivalDefinition[];
  readonly lengths: readonly LengthDefinition[];
  readonly serviceTimes: readonly ServiceTimeDefinition[];
  readonly routers: readonly RouterDefinition[];
}

/** A folder's exports in the order of lists: by `order`, then by name. */
function family<D extends { readonly name: string; readonly order?: number }>(
  exports: Record<string, D>,
): D[] {
  const place = (definition: D): number => definition.order ?? Infinity;
  return Object.values(exports).sort((a, b) =>
    place(a) === place(b) ? (a.name < b.name ? -1 : 1) : place(a) - place(b),
  );
}

/** What comes with the package. */
export const builtIn: Registry = {
  schedulers: family(schedulers),
  disciplines: family(disciplines),
  arrivals: family(arrivals),
  lengths: family(lengths),
  serviceTimes: family(serviceTimes),
  routers: family(routers),
};

/** The member of a family with that name; the configuration has been checked, so it exists. */
export function member<D extends { readonly name: string }>(family: readonly D[], name: string): D {
  const found = family.find((definition) => definition.name === name);
  if (!found) throw new RangeError(`no member named ${name}`);
  return found;
}
