/**
 * The options of an experiment. Each is declared once, in its list, as data; of what type its value is follows from
 * that, so that `run` needs to ask nothing (`Experiment<typeof OPTIONS>`).
 */
import type { OptionSpec, OptionValue } from "../../core/options/definition.js";

/** What an option is when it is given, by its kind. */
interface ValueOfKind {
  readonly integer: number;
  readonly number: number;
  readonly boolean: boolean;
  readonly choice: string;
  readonly integers: readonly number[];
  readonly numbers: readonly number[];
  readonly text: string;
  /** Given or not. */
  readonly flag: boolean;
  /** Numbers, also as ranges. */
  readonly list: readonly number[];
  /** Numbers and words, as they are written. */
  readonly values: readonly string[];
  /** A file to write, and one to read. */
  readonly file: string;
  readonly input: string;
  /** The name or alias of a metric, also of a percentile that no file has a column for. */
  readonly metric: string;
  // These may be given several times:
  /** Texts like `ttft_p95_s<0.5` (core/measures/condition.ts). */
  readonly conditions: readonly string[];
  /** `key=list`, and what makes a variant: a scenario, a file, key=value, or several with commas between. */
  readonly vary: readonly string[];
  readonly with: readonly string[];
}

/** One command-line option of an experiment. */
export interface ExperimentOption extends Omit<OptionSpec, "kind"> {
  readonly kind: keyof ValueOfKind;
  /** The flag as commander reads it, e.g. `--sizes <list>`. */
  readonly flag: string;
  /** Of a variant: the option that asks for it, and so is always given. */
  readonly asks?: true;
}

export type ExperimentOptions = readonly ExperimentOption[];

type GivenValue<O extends ExperimentOption> = O extends {
  readonly kind: "choice";
  readonly choices: readonly (infer Choice)[];
}
  ? Choice
  : ValueOfKind[O["kind"]];

/** Whether an option has a value without being given. */
type Always = { readonly kind: "flag" } | { readonly asks: true } | { readonly default: OptionValue };

/** The values of declared options: null where one was not given and has no default. */
export type OptionsOf<Options extends ExperimentOptions> = {
  readonly [O in Options[number] as O["key"]]: GivenValue<O> | (O extends Always ? never : null);
};
