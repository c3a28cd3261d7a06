/** What would exhaust the machine is refused before it runs: the results of a command stand in memory. */
import { ConfigError } from "../core/errors.js";
import { valuesOfRun } from "../core/measures/measures.js";
import type { TrialRequest } from "../experiments/interface/trials.js";

/** Numbers that one request for trials may come to: 1 GiB of them. */
export const MOST_NUMBERS = 2 ** 27;
/** Points (configurations by windows) of one request: each becomes a row of a table, all of which stand in memory. */
export const MOST_POINTS = 100_000;
/** No array is longer, on any machine. */
const LONGEST_ARRAY = 2 ** 32;

/**
 * @param force lifts the limit, up to the longest array there is
 * @throws ConfigError when the request's results would not fit
 */
export function refuseExcess(
  { trials, configs, windows = [], measures }: TrialRequest,
  force: boolean,
): void {
  const points = configs.length * Math.max(1, windows.length);
  const numbers = trials * points * valuesOfRun(measures);
  if (points > MOST_POINTS && !force)
    throw new ConfigError([
      {
        key: "trials",
        message: `too many points: ${points} rows of a table, ${configs.length} configurations at ${Math.max(1, windows.length)} times (at most ${MOST_POINTS}, or --force)`,
      },
    ]);
  if (numbers <= (force ? LONGEST_ARRAY : MOST_NUMBERS)) return;
  const most = Math.max(1, Math.floor(MOST_NUMBERS / (points * valuesOfRun(measures))));
  const lift = force ? "" : ", or --force";
  throw new ConfigError([
    {
      key: "trials",
      message: `too many results: ${trials} trials of ${points} points (at most ${most} trials of so many points${lift})`,
    },
  ]);
}
