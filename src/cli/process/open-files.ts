/** What a command does where the system lets it open few files: fewer threads, and that is said, or it does not begin. */
import { ConfigError, type Issue } from "../../core/errors.js";
import type { Experiment } from "../../experiments/interface/experiment.js";
import { FOR_DRAWING, openFilesAllowed, openFilesLeft, threadsFor } from "../../io/open-files.js";

const allowed = (): string => `${openFilesAllowed()} are allowed (ulimit -n), and 256 are plenty`;

/**
 * The threads to start of those that are wanted.
 * @throws ConfigError when there are not even open files for one
 */
export function threadCount(wanted: number, tell: (line: string) => void): number {
  const threads = threadsFor(wanted, openFilesLeft());
  if (threads > 0) {
    if (threads < wanted) tell(`${threads} of ${wanted} threads, for want of open files: ${allowed()}`);
    return threads;
  }
  const message = `too few open files for a thread: ${allowed()} (--workers 0 simulates without)`;
  throw new ConfigError([{ key: "--workers", message }]);
}

/** Why its figures could not be drawn, known before anything is simulated. */
export const undrawable = ({ writes }: Experiment): Issue[] =>
  writes.some((file) => file.startsWith("figs/")) && openFilesLeft() < FOR_DRAWING
    ? [{ key: "--out-figs", message: `too few open files to draw figures: ${allowed()}` }]
    : [];
