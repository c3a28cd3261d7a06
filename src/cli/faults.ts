/** What went wrong, told to the one who can mend it, and the exit code that says whose fault it was. */
import { ConfigError, InvariantError, PlanError } from "../core/errors.js";
import { FileError } from "../io/files.js";
import { inALine } from "../core/foreign-words.js";
import { isForWantOfFiles } from "../io/open-files.js";
import { Interrupted } from "../run/interrupted.js";
import { inOneProcess } from "../flags/shell.js";
import type { Output } from "./streams.js";

/** Exit codes; `--help` prints them. */
export const EXIT = {
  done: 0,
  failed: 1,
  fault: 2,
  ours: 3,
  undecided: 4,
  interrupted: 130,
  terminated: 143,
} as const;

export const EXIT_HELP =
  "Exit codes: 0 done, 1 a check failed, 2 bad input or a write that failed,\n3 a bug of llmsim, 4 undecided, 130 or 143 interrupted.";

const LONGEST_MESSAGE = 4000;
/** What V8 says where the machine has no more, or no buffer may be so long. */
const NO_MEMORY = /^(?:Array buffer allocation failed|Invalid typed array length: \d{9,})$/;

/** Writes an error to stderr and returns its exit code. `replay` is the command that shows it again. */
export function report(error: unknown, stderr: Output, replay: string): number {
  const say = (text: string): void => void stderr.write(`${text}\n`);
  if (error instanceof ConfigError) {
    for (const { message } of error.issues) say(`error: ${inALine(message, LONGEST_MESSAGE)}`);
    return EXIT.fault;
  }
  if (error instanceof FileError) {
    say(`error: ${error.message}`);
    return EXIT.fault;
  }
  if (error instanceof Interrupted) {
    const resumed = / --resume\b/.test(replay) ? replay : `${replay} --resume`;
    if (error.kept === undefined) say(`interrupted: nothing was written; to run it again:\n  ${replay}`);
    else say(`interrupted: nothing was written; ${error.kept}; to go on:\n  ${resumed}`);
    return error.signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
  }
  if (error instanceof Error && error.name === "Disagreement") {
    say(
      `error: ${inALine(error.message, LONGEST_MESSAGE)}\nthe command that shows which, in one process:\n  ${inOneProcess(replay)}`,
    );
    return EXIT.ours;
  }
  // The built-in schedulers break no rule; if one does, or a law fails, the bug is ours.
  if (error instanceof InvariantError || error instanceof PlanError) {
    say(
      `bug in llmsim: ${inALine(error.message, LONGEST_MESSAGE)}\nplease report it with the command that shows it:\n  ${replay}`,
    );
    return EXIT.ours;
  }
  if (error instanceof Error && (error.name === "QueueFault" || error.name === "MachineFault")) {
    say(`error: ${inALine(error.message, LONGEST_MESSAGE)}`);
    return EXIT.fault;
  }
  if (isForWantOfFiles(error)) {
    say("error: too many open files (ulimit -n allows too few)");
    return EXIT.fault;
  }
  if (error instanceof Error && error.name === "WorkerFault") {
    say(
      `error: ${inALine(error.message, LONGEST_MESSAGE)}\nthe command that shows it, in one process:\n  ${inOneProcess(replay)}`,
    );
    return EXIT.ours;
  }
  if (error instanceof RangeError && NO_MEMORY.test(error.message)) {
    say(
      "error: not enough memory for this run (fewer --workers, a shorter --tmax or --max-requests need less)",
    );
    return EXIT.fault;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  say(`bug in llmsim: ${detail}\nplease report it with the command that shows it:\n  ${replay}`);
  return EXIT.ours;
}
