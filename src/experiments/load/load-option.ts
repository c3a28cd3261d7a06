/** A configuration at another load: by the option that its arrival process names for that. */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { builtIn, member, type Registry } from "../../core/configuration/registry.js";
import type { LoadOption } from "../../core/workload/arrival-process.js";
import { arrivalRate } from "../cells/rows.js";

type WithArrivals = Pick<SimulationConfig, "workload">;

/** The option by which a configuration's load is varied; null where there is none. */
export const loadOptionOf = ({ workload }: WithArrivals, registry: Registry = builtIn): LoadOption | null =>
  member(registry.arrivals, workload.arrivals.kind).loadOption;

const FLAGS: Readonly<Record<string, string>> = {
  ratePerSecond: "--lam",
  clients: "--clients",
  speedup: "--speedup",
};

/** The flag that gives a study another load. */
export const loadFlag = ({ key }: LoadOption, value: number | string): string =>
  Object.hasOwn(FLAGS, key) ? `${FLAGS[key]} ${value}` : `--set workload.arrivals.${key}=${value}`;

/** Its value for `times` the load. */
export function timesTheLoad(config: WithArrivals, times: number, registry?: Registry): number {
  const { key, sense } = loadOptionOf(config, registry)!;
  const given = config.workload.arrivals[key] as number;
  return sense === "more" ? given * times : given / times;
}

/** Its value at another λ, which the configuration must have. */
export function valueAt(config: WithArrivals, lambda: number, registry?: Registry): number {
  const { key } = loadOptionOf(config, registry)!;
  const own = arrivalRate(config, registry);
  // An option that is λ itself takes the new one as it stands: λ times a quotient may differ in its last bit.
  const isRate = config.workload.arrivals[key] === own;
  return isRate ? lambda : timesTheLoad(config, lambda / own, registry);
}

/** The same configuration at another λ, which it must have. */
export function atRate<C extends WithArrivals>(config: C, lambda: number, registry?: Registry): C {
  const { workload } = config;
  const { key } = loadOptionOf(config, registry)!;
  const arrivals = { ...workload.arrivals, [key]: valueAt(config, lambda, registry) };
  return { ...config, workload: { ...workload, arrivals } };
}
