/**
 * Schedulers that a user brings: what a module must export to be one, and the registry with them in it. A bad one is
 * the user's to mend, so whatever it does wrong says which file, where, and what is allowed. How a file is found and
 * loaded is not known here.
 */
import { builtIn, type Registry } from "./registry.js";
import { ConfigError, PlanError } from "./errors.js";
import { checkOptions } from "./check-options.js";
import type { OptionSpec, Spec } from "./definition.js";
import type { Batch, Limits, Scheduler, SchedulerDefinition, View } from "./scheduler.js";
import { toSeconds } from "./units.js";

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
const OPTION_KINDS = ["integer", "number", "boolean", "choice", "integers", "numbers"];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The schedulers among a module's exports: the default one, or all named ones that have a `create`.
 * @param file what errors call it
 * @throws ConfigError with everything that keeps them from being used
 */
export function pluginOf(file: string, exports: Readonly<Record<string, unknown>>): Plugin {
  const given: readonly (readonly [string, unknown])[] =
    "default" in exports
      ? [["default", exports.default]]
      : Object.entries(exports).filter(([, value]) => isObject(value) && "create" in value);
  const problems: string[] = [];
  if (given.length === 0) problems.push("exports no scheduler (export default { name, create })");
  const schedulers = given.map(([key, value]) => definitionOf(file, key, value, problems));
  if (problems.length > 0)
    throw new ConfigError(
      problems.map((problem) => ({ key: "--plugin", message: `plugin ${file}: ${problem}` })),
    );
  return { name: file, schedulers };
}

/** A user's definition with what it may leave out; what is wrong is added to `problems`. */
function definitionOf(file: string, key: string, value: unknown, problems: string[]): SchedulerDefinition {
  const given = isObject(value) ? value : {};
  const { name, short, summary, source, options = [], examples, backlog = "waiting", create, check } = given;
  const demand = (holds: boolean, problem: string): void => void (holds || problems.push(problem));
  demand(isObject(value), `export ${key} is no scheduler (an object with name and create)`);
  const who = isText(name) ? name : `export ${key}`;
  if (isObject(value)) {
    demand(isText(name) && NAME.test(name), `invalid name: ${String(name)} (letters a to z, digits and -)`);
    demand(
      short === undefined || (isText(short) && NAME.test(short)),
      `${who}: invalid short: ${String(short)} (letters a to z, digits and -)`,
    );
    demand(typeof create === "function", `${who}: create is missing (a function that makes the scheduler)`);
    demand(
      backlog === "waiting" || backlog === "decoding",
      `${who}: invalid backlog: ${String(backlog)} (waiting or decoding)`,
    );
    demand(
      Array.isArray(options) && options.every(isOption),
      `${who}: invalid options (a list of { key, kind, summary }, kind one of: ${OPTION_KINDS.join(", ")})`,
    );
    const isList =
      Array.isArray(examples) && examples.every((example) => isObject(example) && example.kind === name);
    demand(
      examples === undefined || isList,
      `${who}: invalid examples (a list of specs with kind: "${who}")`,
    );
  }
  return {
    ...(given as unknown as SchedulerDefinition),
    name: who,
    summary: isText(summary) ? summary : `of ${file}`,
    source: isText(source) ? source : file,
    options: options as readonly OptionSpec[],
    examples: (examples as Spec[] | undefined) ?? [{ kind: who }],
    backlog: backlog as SchedulerDefinition["backlog"],
    ...(typeof check === "function" && { check: check as NonNullable<SchedulerDefinition["check"]> }),
    create: (spec) => guarded(file, who, () => (create as SchedulerDefinition["create"])(spec)),
  };
}

const isOption = (option: unknown): boolean =>
  isObject(option) &&
  isText(option.key) &&
  isText(option.summary) &&
  OPTION_KINDS.includes(option.kind as string) &&
  (option.kind !== "choice" || Array.isArray(option.choices)) &&
  (option.default === undefined ||
    checkOptions([option as unknown as OptionSpec], { [option.key]: option.default }, "").length === 0);

/** A user's scheduler, whose exceptions name the plugin. A PlanError says by itself who broke which rule. */
function guarded(file: string, name: string, make: () => unknown): Scheduler {
  const refuse = (problem: string): never => {
    const message = `plugin ${file}: scheduler ${name}: ${problem}`;
    throw new ConfigError([{ key: "--plugin", message }]);
  };
  let scheduler: Scheduler;
  try {
    scheduler = make() as Scheduler;
  } catch (error) {
    return refuse(`create threw: ${messageOf(error)}`);
  }
  if (!isObject(scheduler) || typeof (scheduler as Partial<Scheduler>).compose !== "function")
    return refuse("create made no scheduler (an object with compose(view, batch))");
  const { everyIteration, decodesFirst, decodeOrder } = scheduler;
  if (decodeOrder !== undefined && decodeOrder !== "prefill-end" && decodeOrder !== "admission")
    return refuse(`invalid decodeOrder: ${String(decodeOrder)} (prefill-end or admission)`);
  if (scheduler.decodesAll !== undefined && typeof scheduler.decodesAll !== "function")
    return refuse(`invalid decodesAll: ${String(scheduler.decodesAll)} (a function of the limits)`);
  const decodesAll = (limits: Limits): number => {
    let most: unknown;
    try {
      most = scheduler.decodesAll?.(limits);
    } catch (error) {
      refuse(`decodesAll threw: ${messageOf(error)}`);
    }
    return typeof most === "number" && most >= 0
      ? most
      : refuse(`decodesAll: ${String(most)} (how many, at least 0)`);
  };
  return {
    ...(everyIteration === true && { everyIteration }),
    ...(decodesFirst === true && { decodesFirst }),
    ...(scheduler.decodesAll !== undefined && { decodesAll }),
    ...(decodeOrder !== undefined && { decodeOrder }),
    compose(view: View, batch: Batch): void {
      let returned: unknown;
      try {
        returned = scheduler.compose(view, batch);
      } catch (error) {
        if (error instanceof PlanError || error instanceof ConfigError) throw error;
        refuse(`compose threw at ${toSeconds(view.now)} s: ${messageOf(error)}`);
      }
      if (isObject(returned) && typeof returned.then === "function")
        refuse("compose returned a promise (a batch is composed at once, without waiting)");
    },
  };
}

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
