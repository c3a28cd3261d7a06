/**
 * The three ways a simulation can fail, and who is at fault.
 *
 * ConfigError: the caller's settings (all issues at once). PlanError: a scheduler asked for what no
 * engine may do. InvariantError: this program is wrong.
 */

/** One thing wrong with a configuration. */
export interface Issue {
  /** The configuration key (dotted) or command-line flag at fault; empty for the whole. */
  readonly key: string;
  /** One lower-case line: `kind noun: value (what is allowed)`. */
  readonly message: string;
}

/** The settings cannot be simulated. Carries every issue found, not just the first. */
export class ConfigError extends Error {
  readonly issues: readonly Issue[];
  constructor(issues: readonly Issue[]) {
    super(issues.map((issue) => issue.message).join("\n"));
    this.name = "ConfigError";
    this.issues = issues;
  }
}

/** The same, found only when a trial of these settings ran: others may still be simulated. */
export class UnfitError extends ConfigError {}

/** A scheduler composed a batch that breaks a rule of the engine, found where it was composed. */
export class PlanError extends Error {
  /** Name of the scheduler. */
  readonly scheduler: string;
  /** Number of the iteration on its replica, from 1; 0 where the trial as a whole is meant. */
  readonly iteration: number;
  /** The rule that was broken, e.g. `over the token budget: asked 300, left 256`. */
  readonly rule: string;
  constructor(scheduler: string, iteration: number, rule: string) {
    super(`scheduler ${scheduler}${iteration > 0 ? `, iteration ${iteration}` : ""}: ${rule}`);
    this.name = "PlanError";
    this.scheduler = scheduler;
    this.iteration = iteration;
    this.rule = rule;
  }
}

/** A law of the model does not hold: a bug of this program, never of its user. */
export class InvariantError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InvariantError";
  }
}

/** Throws an InvariantError with `message` unless `condition` holds. */
export function invariant(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantError(typeof message === "string" ? message : message());
}
