/** An experiment's own flags, from text to values; every problem at once. */
import { allowed } from "../core/options/check-options.js";
import { metricForm, metricNamed, readCondition } from "../core/measures/condition.js";
import type { OptionValue } from "../core/options/definition.js";
import { ConfigError, type Issue } from "../core/errors.js";
import { Issues } from "../core/issues.js";
import type { Experiment } from "../experiments/interface/experiment.js";
import type { ExperimentOption } from "../experiments/interface/options.js";
import { numberOrText, parseList, parseValues } from "../config/lists.js";
import { hint } from "../config/suggest.js";
import { show } from "../config/telling.js";
import type { Flags } from "./given-flags.js";

export type OptionValues = Record<string, OptionValue | readonly string[] | null>;

/** The name a user types, without the value: `--sizes`. */
export const flagName = (flag: string): string => flag.split(" ")[0];

/** Commander's name of a flag: `--ratio-of` is `ratioOf`. */
export const camelCase = (flag: string): string =>
  flagName(flag)
    .replace(/^--/, "")
    .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function valueOf(option: ExperimentOption, text: string): OptionValue | readonly string[] {
  const name = flagName(option.flag);
  if (option.kind === "values") return parseValues(text, name).map(String);
  if (option.kind === "list") return parseList(text, name);
  if (option.kind === "file" && text === "")
    throw new ConfigError([{ key: name, message: `invalid ${name}: empty (a file to write)` }]);
  if (option.kind === "input" && text === "")
    throw new ConfigError([{ key: name, message: `invalid ${name}: empty (a file to read)` }]);
  if (option.kind === "text" || option.kind === "file" || option.kind === "input") return text;
  if (option.kind === "metric") {
    const metric = metricNamed(text);
    if (metric) return metric.name;
    throw new ConfigError([
      { key: name, message: `invalid ${name}: ${show(text)} ${metricForm(text, hint)}` },
    ]);
  }
  if (option.kind === "choice") {
    if (option.choices!.includes(text)) return text;
    throw new ConfigError([
      {
        key: name,
        message: `invalid ${name}: ${show(text)} (one of: ${option.choices!.join(", ")})${hint(text, option.choices!)}`,
      },
    ]);
  }
  const value = numberOrText(text);
  const isFit =
    typeof value === "number" &&
    (option.kind === "number" || Number.isSafeInteger(value)) &&
    !(option.min !== undefined && (option.above ? value <= option.min : value < option.min)) &&
    !(option.max !== undefined && (option.below ? value >= option.max : value > option.max));
  if (isFit) return value;
  throw new ConfigError([
    {
      key: name,
      message: `invalid ${name}: ${text} (${allowed({ ...option, kind: option.kind as "number" })})`,
    },
  ]);
}

/** The texts of conditions that can be read. */
function conditions(given: string[] | undefined, flag: string, issues: Issue[]): readonly string[] | null {
  const found = new Issues(flag);
  for (const text of given ?? []) {
    const read = readCondition(text, hint);
    if (typeof read === "string") found.add(() => ({ key: flag, message: `${flag}: ${read}` }));
  }
  issues.push(...found.list());
  return given ?? null;
}

/** Values of the experiment's options, with their defaults; problems are added to `issues`. */
export function optionValues(experiment: Experiment, flags: Flags, issues: Issue[]): OptionValues {
  const values: OptionValues = {};
  for (const option of experiment.options) {
    const given = flags[camelCase(option.flag)];
    if (option.kind === "conditions") {
      values[option.key] = conditions(given as string[] | undefined, flagName(option.flag), issues);
      continue;
    }
    if (option.kind === "vary" || option.kind === "with") {
      values[option.key] = (given as string[] | undefined) ?? null; // the study's variants are made of them
      continue;
    }
    if (option.kind === "flag") {
      values[option.key] = given === true;
      continue;
    }
    try {
      const text = given ?? option.default;
      values[option.key] =
        typeof text === "string" ? valueOf(option, text) : ((text as OptionValue | undefined) ?? null);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
  }
  return values;
}
