/**
 * Checks plain data against option lists: one rule set for the command line, configuration files and the
 * library, because all of them end in the same configuration.
 */
import type { Described, OptionSpec, OptionValue, Spec } from "./definition.js";
import type { Issue } from "../errors.js";

/** What an option allows, in words, as it stands in an error's parentheses. */
export function allowed(option: OptionSpec): string {
  if (option.kind === "boolean") return `true or false${option.nullable ? ", or none" : ""}`;
  if (option.choices) return `one of: ${option.choices.join(", ")}`;
  if (option.kind === "text") return `a text${option.nullable ? ", or none" : ""}`;
  const list = option.kind === "integers" || option.kind === "numbers";
  const noun =
    option.kind === "integer" || option.kind === "integers"
      ? list
        ? "integers"
        : "an integer"
      : list
        ? "numbers"
        : "a number";
  const bounds: string[] = [];
  if (option.min !== undefined) bounds.push(`${option.above ? "above" : "at least"} ${option.min}`);
  if (option.max !== undefined) bounds.push(`${option.below ? "below" : "at most"} ${option.max}`);
  const range = bounds.length > 0 ? ` ${bounds.join(" and ")}` : "";
  return `${list ? "a list of " : ""}${noun}${range}${option.nullable ? ", or none" : ""}`;
}

function numberFits(option: OptionSpec, value: unknown): boolean {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  if ((option.kind === "integer" || option.kind === "integers") && !Number.isSafeInteger(value)) return false;
  if (option.min !== undefined && (option.above ? value <= option.min : value < option.min)) return false;
  return option.max === undefined || (option.below ? value < option.max : value <= option.max);
}

function fits(option: OptionSpec, value: unknown): boolean {
  if (value === null) return option.nullable === true;
  if (option.kind === "boolean") return typeof value === "boolean";
  if (option.kind === "choice") return option.choices!.includes(value as string);
  if (option.kind === "text") return typeof value === "string" && value !== "";
  if (option.kind === "integers" || option.kind === "numbers")
    return Array.isArray(value) && value.every((element) => numberFits(option, element));
  return numberFits(option, value);
}

/** A value as an error shows it: JSON, which has no NaN, no Infinity and no big integers, for the rest. */
const show = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  const isPlain =
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "bigint" ||
    typeof value === "boolean";
  return isPlain ? String(value) : (JSON.stringify(value) ?? "nothing");
};

/** Checks `values` against `options`; `prefix` leads to them in the configuration, e.g. `engine.`. */
export function checkOptions(
  options: readonly OptionSpec[],
  values: Readonly<Record<string, unknown>>,
  prefix: string,
  besides: readonly string[] = [],
): Issue[] {
  const issues: Issue[] = [];
  for (const option of options) {
    const key = prefix + option.key;
    const value = values[option.key];
    if (value === undefined) issues.push({ key, message: `missing ${key} (${allowed(option)})` });
    else if (!fits(option, value))
      issues.push({ key, message: `invalid ${key}: ${show(value)} (${allowed(option)})` });
  }
  const known = options.map((option) => option.key);
  for (const name of Object.keys(values)) {
    if (known.includes(name) || besides.includes(name)) continue;
    const key = prefix + name;
    issues.push({ key, message: `unknown key: ${key} (one of: ${[...besides, ...known].join(", ")})` });
  }
  return issues;
}

/** The options' defaults with `given` laid over them. */
export function withDefaults<T extends object>(options: readonly OptionSpec[], given: T): T {
  const filled: Record<string, OptionValue | null> = {};
  for (const option of options) if (option.default !== undefined) filled[option.key] = option.default;
  return { ...filled, ...given };
}

/** Checks a spec against the family it must belong to. `noun` names the family in errors. */
export function checkSpec(
  family: readonly Described[],
  spec: Spec | undefined,
  noun: string,
  key: string,
): Issue[] {
  const names = family.map((definition) => definition.name).join(", ");
  if (typeof spec !== "object" || spec === null)
    return [{ key, message: `missing ${key} (${noun}, kind one of: ${names})` }];
  const definition = family.find((candidate) => candidate.name === spec.kind);
  if (!definition)
    return [{ key: `${key}.kind`, message: `unknown ${noun}: ${show(spec.kind)} (one of: ${names})` }];
  const issues = checkOptions(definition.options, spec, `${key}.`, ["kind"]);
  if (issues.length > 0) return issues;
  return (definition.check?.(spec) ?? []).map((problem) => ({
    key,
    message: `invalid ${key}.${problem}`,
  }));
}
