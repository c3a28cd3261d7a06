/**
 * How a member of a family (scheduler, arrival process, length law, service-time model, discipline)
 * describes itself: a name, a summary, and its options as plain data. Help, validation, JSON Schema
 * and contract tests are derived from these, so that a new member is one file and one export line.
 */

/** One option of a definition. */
export interface OptionSpec {
  readonly key: string;
  /** `integers` and `numbers` are lists; `text` is any but the empty one. */
  readonly kind: "integer" | "number" | "boolean" | "choice" | "integers" | "numbers" | "text";
  /** Least value allowed (of each element, for lists). */
  readonly min?: number;
  /** Greatest value allowed. */
  readonly max?: number;
  /** `min` itself is not allowed. */
  readonly above?: boolean;
  /** `max` itself is not allowed. */
  readonly below?: boolean;
  readonly choices?: readonly string[];
  /** null is allowed and means "none". */
  readonly nullable?: boolean;
  /** Taken when the option is not given; an option without a default must be given. */
  readonly default?: OptionValue | null;
  /** ms, tokens, 1/s, …; empty for pure numbers. */
  readonly unit?: string;
  readonly summary: string;
}

export type OptionValue = number | string | boolean | readonly number[];

/** A value of a family member as it stands in a configuration: its name as `kind`, and its options. */
export interface Spec {
  readonly kind: string;
  readonly [option: string]: OptionValue | null;
}

/** How a member of a family describes itself. */
export interface Described {
  readonly name: string;
  /** A short name for file names and the command line, where the family has them. */
  readonly short?: string;
  readonly summary: string;
  /** Place in lists, tables and legends; members without one follow, by name. */
  readonly order?: number;
  /** The paper or law it comes from. */
  readonly source: string;
  readonly options: readonly OptionSpec[];
  /** Configurations that show it, complete but for defaults; contract tests run them. */
  readonly examples: readonly Spec[];
  /** Problems that no single option's range can state, e.g. weights that do not sum to 1. */
  readonly check?: (spec: Spec) => string[];
}

/** A member of a family. `T` is what it makes. */
export interface Definition<T> extends Described {
  /** Makes the member from a checked spec. */
  readonly create: (spec: Spec) => T;
}

/** A numeric option of a checked spec. */
export const numberOf = (spec: Spec, key: string): number => spec[key] as number;
/** A list option of a checked spec. */
export const numbersOf = (spec: Spec, key: string): readonly number[] => spec[key] as readonly number[];
/** A text or choice of a checked spec. */
export const textOf = (spec: Spec, key: string): string => spec[key] as string;
