/**
 * Progress on stderr: a bar on a terminal, a line per 10 % elsewhere (no more than one a second), nothing with
 * `--quiet`. Amounts are simulated requests, so points that cost more count for more.
 */
import type { Progress } from "../../run/runner.js";
import type { Output } from "../streams.js";

const BAR = 24;
const REDRAW_MS = 100;
const LINE_MS = 1000;
/** Work that is over sooner shows no bar at all. */
const PATIENCE_MS = 300;

export function progressOn(
  output: Output,
  isQuiet: boolean,
  now: () => number = () => performance.now(),
): Progress {
  let label = "";
  let total = 0;
  let done = 0;
  let startedAt = 0;
  let drawnAt = 0;
  let shownTenth = 0;
  let isDrawn = false;
  let open = 0;
  // The pace counts from the first work done: starting threads and loading code are not part of it.
  let pacedFrom: number | undefined;
  let paced = 0;
  let pacedMs = 0;

  const left = (): string => {
    const elapsed = now() - startedAt;
    if (done === 0 || elapsed < LINE_MS) return "";
    return `, ${Math.ceil((elapsed * (total - done)) / done / 1000)} s left`;
  };
  const bar = (): void => {
    if (now() - drawnAt < REDRAW_MS || now() - startedAt < PATIENCE_MS) return;
    drawnAt = now();
    isDrawn = true;
    const share = total > 0 ? Math.min(1, done / total) : 1;
    const filled = Math.round(share * BAR);
    output.redraw?.(
      `${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${Math.floor(share * 100)} % ${label}${left()}`,
    );
  };
  const line = (): void => {
    const tenth = total > 0 ? Math.floor((10 * done) / total) : 10;
    if (tenth <= shownTenth || now() - drawnAt < LINE_MS) return;
    shownTenth = tenth;
    drawnAt = now();
    output.write(`${label}: ${tenth * 10} %${left()}\n`);
  };

  return {
    begin(what, amount) {
      label = what;
      if (open++ > 0) {
        total += amount;
        return;
      }
      total = amount;
      done = 0;
      startedAt = now();
      drawnAt = output.isTTY === true ? 0 : startedAt;
      shownTenth = 0;
    },
    advance(amount) {
      done += amount;
      if (pacedFrom === undefined) pacedFrom = now();
      else paced += amount;
      if (isQuiet) return;
      if (output.isTTY === true) bar();
      else line();
    },
    end() {
      if (--open > 0) return;
      pacedMs += now() - Math.max(startedAt, pacedFrom ?? now());
      if (isDrawn) output.redraw?.("");
      isDrawn = false;
    },
    secondsFor: (amount) => (paced > 0 ? (amount * pacedMs) / paced / 1000 : undefined),
  };
}
