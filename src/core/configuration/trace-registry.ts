/** A registry that knows recorded traces: what a configuration's `trace` kinds are looked up in. */
import { builtIn, type Registry } from "./registry.js";
import { EXAMPLE, type Trace } from "../workload/trace.js";
import { traceArrivals } from "../workload/trace-arrivals.js";
import { traceLengths } from "../workload/trace-lengths.js";

/** `registry` with these traces behind its `trace` kinds, instead of those it had. */
export function withTraces(traces: readonly Trace[], registry: Registry = builtIn): Registry {
  const all = [EXAMPLE, ...traces];
  const bound = <D extends { readonly name: string }>(family: readonly D[], mine: D): D[] =>
    family.map((definition) => (definition.name === mine.name ? mine : definition));
  return {
    ...registry,
    arrivals: bound(registry.arrivals, traceArrivals(all)),
    lengths: bound(registry.lengths, traceLengths(all)),
  };
}
