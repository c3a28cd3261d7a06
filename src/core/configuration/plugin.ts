/**
 * Schedulers that a user brings: what a module must export to be one, and the registry with them in it. A bad one is
 * the user's to mend, so whatever it does wrong says which file, where, and what is allowed. How a file is found and
 * loaded is not known here.
 */
import { ConfigError } from "../errors.js";
import { checkOptions } from "../options/check-options.js";
import type { OptionSpec, Spec } from "../options/definition.js";
import { type Fields, fieldsOf, isObject, isText, messageOf, plainCopy, shown } from "./foreign-values.js";
import { guarded, refuser } from "./plugin-guard.js";
import { builtIn, type Registry } from "./registry.js";
import type { SchedulerDefinition } from "../policies/scheduler.js";

/** A file of a user's, as a task carries it: nothing else with that name may stand in for it. */
export interface PluginFile {
  /** Absolute path of an ES module. */
  readonly path: string;
  /** Of its bytes; hexadecimal. */
  readonly sha256: string;
}

/** A loaded plugin. */
export interface Plugin {
  /** The file as errors name it. */
  readonly name: string;
  readonly schedulers: readonly SchedulerDefinition[];
}

const NAME = /^[a-z][a-z0-9-]*$/;
/** Every spec has a `kind` of its own. */
const OPTION_KEY = /^(?!kind$)[a-z]\w*$/i;
const OPTION_KINDS = ["integer", "number", "boolean", "choice", "integers", "numbers"];
/** What a definition may say; the rest of its object is its own. */
const FIELDS = [
  "name",
  "short",
  "summary",
  "source",
  "options",
  "examples",
  "backlog",
  "async",
  "fixes",
  "check",
  "create",
] as const;

/**
 * The schedulers among a module's exports: the default one, or all named ones that have a `create`.
 * @param file what errors call it
 * @throws ConfigError with everything that keeps them from being used
 */
export function pluginOf(file: string, exports: unknown): Plugin {
  const problems: string[] = [];
  const schedulers: SchedulerDefinition[] = [];
  for (const [key, value] of exportsOf(exports, problems)) {
    const before = problems.length;
    try {
      if (isObject(value)) schedulers.push(definitionOf(file, key, fieldsOf(value, FIELDS), problems));
      else problems.push(`export ${key} is no scheduler (an object with name and create)`);
    } catch (error) {
      problems.splice(before, Infinity, `export ${key} cannot be read: ${messageOf(error)}`);
    }
  }
  if (schedulers.length + problems.length === 0)
    problems.push("exports no scheduler (export default { name, create })");
  if (problems.length > 0)
    throw new ConfigError(
      problems.map((problem) => ({ key: "--plugin", message: `plugin ${file}: ${problem}` })),
    );
  return { name: file, schedulers };
}

/** What a module offers as schedulers. */
function exportsOf(exports: unknown, problems: string[]): (readonly [key: string, value: unknown])[] {
  try {
    if (!isObject(exports)) return [];
    if ("default" in exports) return [["default", exports.default]];
    return Object.entries(exports).filter(([, value]) => isObject(value) && "create" in value);
  } catch (error) {
    problems.push(`its exports cannot be read: ${messageOf(error)}`);
    return [];
  }
}

/** A user's definition with what it may leave out; what is wrong is added to `problems`. */
function definitionOf(
  file: string,
  key: string,
  given: Fields<(typeof FIELDS)[number]>,
  problems: string[],
): SchedulerDefinition {
  const { name, short, summary, source, backlog = "waiting", check, create } = given;
  const [options = [], examples, fixes] = [given.options, given.examples, given.fixes].map((one) =>
    plainCopy(one),
  );
  const demand = (holds: boolean, problem: string): void => void (holds || problems.push(problem));
  const who = isText(name) ? name : `export ${key}`;
  demand(isText(name) && NAME.test(name), `invalid name: ${shown(name)} (letters a to z, digits and -)`);
  demand(
    short === undefined || (isText(short) && NAME.test(short)),
    `${who}: invalid short: ${shown(short)} (letters a to z, digits and -)`,
  );
  demand(typeof create === "function", `${who}: create is missing (a function that makes the scheduler)`);
  demand(
    check === undefined || typeof check === "function",
    `${who}: invalid check: ${shown(check)} (a function of the options' values)`,
  );
  demand(
    backlog === "waiting" || backlog === "decoding",
    `${who}: invalid backlog: ${shown(backlog)} (waiting or decoding)`,
  );
  demand(
    given.async === undefined || typeof given.async === "boolean",
    `${who}: invalid async: ${shown(given.async)} (true or false)`,
  );
  demand(
    fixes === undefined || (isObject(fixes) && Object.values(fixes).every(isText)),
    `${who}: invalid fixes (conventions and their values, e.g. { firstToken: "prefill" })`,
  );
  demand(
    Array.isArray(options) && options.every(isOption),
    `${who}: invalid options (a list of { key, kind, summary }, kind one of: ${OPTION_KINDS.join(", ")})`,
  );
  const isList =
    Array.isArray(examples) && examples.every((example) => isObject(example) && example.kind === name);
  demand(examples === undefined || isList, `${who}: invalid examples (a list of specs with kind: "${who}")`);
  return {
    name: who,
    ...(isText(short) && { short }),
    summary: isText(summary) ? summary : `of ${file}`,
    source: isText(source) ? source : file,
    options: options as readonly OptionSpec[],
    examples: (examples as Spec[] | undefined) ?? [{ kind: who }],
    backlog: backlog as SchedulerDefinition["backlog"],
    ...(typeof given.async === "boolean" && { async: given.async }),
    ...(isObject(fixes) && { fixes: fixes }),
    ...(typeof check === "function" && { check: (spec) => problemsOf(file, who, check as Check, spec) }),
    create: (spec) => guarded(file, who, create as (spec: Spec) => unknown, spec),
  };
}

type Check = (spec: Spec) => unknown;

/** What a plugin's own check says of a spec. */
function problemsOf(file: string, name: string, check: Check, spec: Spec): string[] {
  const refuse = refuser(file, name);
  let found: unknown;
  try {
    found = plainCopy(check(plainCopy(spec) as Spec));
  } catch (error) {
    return refuse(`check threw: ${messageOf(error)}`);
  }
  return Array.isArray(found) && found.every(isText)
    ? found
    : refuse("check gave no list of texts (a list of problems, empty when there is none)");
}

const isOf = (type: "number" | "boolean" | "string", values: readonly unknown[]): boolean =>
  values.every((value) => value === undefined || typeof value === type);

const isOption = (option: unknown): boolean =>
  isObject(option) &&
  isText(option.key) &&
  OPTION_KEY.test(option.key) &&
  isText(option.summary) &&
  OPTION_KINDS.includes(option.kind as string) &&
  isOf("number", [option.min, option.max]) &&
  isOf("boolean", [option.above, option.below, option.nullable]) &&
  isOf("string", [option.unit]) &&
  (option.choices === undefined || (Array.isArray(option.choices) && option.choices.every(isText))) &&
  (option.kind !== "choice" || option.choices !== undefined) &&
  (option.default === undefined ||
    checkOptions([option as unknown as OptionSpec], { [option.key]: option.default }, "").length === 0);

/**
 * `registry` with the schedulers of plugins after its own.
 * @throws ConfigError when a name or short name is taken
 */
export function withPlugins(plugins: readonly Plugin[], registry: Registry = builtIn): Registry {
  if (plugins.length === 0) return registry;
  const schedulers = [...registry.schedulers];
  const problems: string[] = [];
  for (const { name: file, schedulers: added } of plugins)
    for (const definition of added) {
      const names = [definition.name, ...(definition.short === undefined ? [] : [definition.short])];
      const twin = schedulers.find(
        ({ name, short }) => names.includes(name) || names.includes(short ?? name),
      );
      if (twin)
        problems.push(
          `plugin ${file}: scheduler ${definition.name}: the name is taken by ${twin.name} (a name of its own)`,
        );
      else schedulers.push(definition);
    }
  if (problems.length > 0) throw new ConfigError(problems.map((message) => ({ key: "--plugin", message })));
  return { ...registry, schedulers };
}
