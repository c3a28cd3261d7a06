/** How far the means of a replay may be from the run: `ttft=10,tpot=5,e2e=6`, in %. */
import { ConfigError } from "../../core/errors.js";
import { type Comparison, type Metric, METRICS } from "./agreement.js";

/** Largest absolute error of the mean in %, by time. */
export type Tolerance = Readonly<Partial<Record<Metric, number>>>;

/** @throws ConfigError when it is none */
export function readTolerance(text: string): Tolerance {
  const found: Partial<Record<Metric, number>> = {};
  for (const part of text.split(",")) {
    const [, name, value] = /^\s*(\w+)\s*=\s*(\d+(?:\.\d+)?)\s*$/.exec(part) ?? [];
    const metric = METRICS.find(({ key }) => key === name)?.key;
    if (metric === undefined || found[metric] !== undefined)
      throw new ConfigError([
        {
          key: "--tolerance",
          message: `invalid --tolerance: ${text} (each of ${METRICS.map(({ key }) => key).join(", ")} once at most, in %: ttft=10,tpot=5,e2e=6)`,
        },
      ]);
    found[metric] = Number(value);
  }
  return found;
}

/** The times whose mean is further off; one that no request has is. */
export const missed = (tolerance: Tolerance, found: readonly Comparison[]): Metric[] =>
  METRICS.map(({ key }) => key).filter((key) => {
    const most = tolerance[key];
    const mean = found.find(({ metric, statistic }) => metric === key && statistic === "mean")!;
    return most !== undefined && !(Math.abs(mean.errorPct) <= most);
  });
