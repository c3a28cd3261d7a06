/**
 * A study is what a command runs: scenario, model settings, schedulers, trials and seed, put together from
 * layers. Every problem of every layer is found at once and named as its layer names it.
 */
import { check } from "../core/configuration/check-config.js";
import { capOf, complete, type PartialConfig, type SimulationConfig } from "../core/configuration/config.js";
import { checkOptions, checkSpec } from "../core/options/check-options.js";
import type { Condition } from "../core/measures/condition.js";
import type { Described, Spec } from "../core/options/definition.js";
import { ConfigError, type Issue } from "../core/errors.js";
import { readSlo } from "../core/measures/targets.js";
import { Issues } from "../core/issues.js";
import { builtIn, type Registry } from "../core/configuration/registry.js";
import { STUDY_OPTIONS, studyTree, type ListNode } from "./keys.js";
import { LayerIssues } from "./layer-issues.js";
import { nameOf, originOf, type Layer, type Place } from "./layer.js";
import { mergeLayers, type Merged } from "./merge.js";
import { hint } from "./suggest.js";
import { completed, readSchedulers, type SchedulerList } from "./schedulers.js";
import { retell } from "./telling.js";

export type { Layer, Setting, SpecInput, StudyInput } from "./layer.js";

/** A configuration that still lacks its scheduler. */
export type BaseConfig = Omit<SimulationConfig, "scheduler">;

export interface Study {
  /** The scenario's name as the user gave it; `custom` when no layer names one. */
  readonly scenario: string;
  /** The hardware's name as the user gave it, where a layer names one. */
  readonly hardware?: string;
  /** Complete and checked together with each of the schedulers. */
  readonly config: BaseConfig;
  /** Complete; at least one. */
  readonly schedulers: readonly Spec[];
  readonly trials: number;
  readonly seed: number;
  /** What an SLO asks of a whole run. */
  readonly targets?: readonly Condition[];
  /** Where each dotted key's value came from: `--max-tokens`, `my.yaml:12`, `scenario demo2`, `defaults`. */
  readonly origins: ReadonlyMap<string, string>;
}

/** The scenario that the layers ask for, by the last one that names one. */
export function scenarioOf(layers: readonly Layer[]): string | undefined {
  const named = layers.filter(({ values }) => typeof values.scenario === "string" && values.scenario !== "");
  return named.at(-1)?.values.scenario;
}

/** The hardware that the layers ask for, by the last one that names any. */
export function hardwareOf(layers: readonly Layer[]): string | undefined {
  const named = layers.filter(({ values }) => typeof values.hardware === "string" && values.hardware !== "");
  return named.at(-1)?.values.hardware;
}

/**
 * The study that `layers` make, the later over the earlier.
 * @param limits.force lifts the limit on the expected number of requests
 * @throws ConfigError with every problem found
 */
export function resolveStudy(
  layers: readonly Layer[],
  registry: Registry = builtIn,
  limits: { readonly force?: boolean } = {},
): Study {
  const tree = studyTree(registry);
  const found = new LayerIssues();
  const merged = mergeLayers(layers, tree, found.tell);
  const node = tree.children.get("schedulers") as ListNode;
  const list = readSchedulers(merged, layers, node, registry, found.tell);
  const config = baseOf(merged.values, registry);
  const {
    trials,
    seed,
    scenario = "custom",
    hardware,
  } = merged.values as { trials: number; seed: number; scenario?: string; hardware?: string };

  const targets = targetsFrom(merged);
  const early = [...layers.flatMap((layer) => layer.issues ?? []), ...found.list(), ...targets.issues];
  const sound = list.specs.map((spec) => checkSpec(registry.schedulers, spec, "scheduler", "scheduler"));
  // With each scheduler, because one may bring conventions of its own; what they have in common is told once.
  const known = list.specs.filter((_, i) => sound[i].length === 0);
  const schedulers = known.length > 0 ? known : [registry.schedulers[0].examples[0]];
  const unsound = new Issues("schedulers");
  sound.forEach((issues, i) => {
    for (const issue of issues)
      unsound.add(() => retell(issue, list.places[i], tree, { scheduler: list.specs[i] }));
  });
  const late = [
    ...[
      ...schedulers.flatMap((scheduler) => check({ ...config, scheduler }, registry, limits)),
      ...checkOptions(STUDY_OPTIONS, { trials, seed }, ""),
    ].map((issue) => retell(issue, merged.places, tree, merged.values)),
    ...unsound.list(),
  ];
  const issues = withoutEchoes(early, late);
  if (issues.length > 0) throw new ConfigError(issues);
  const asked = targets.conditions.length > 0 && { targets: targets.conditions };
  return {
    scenario,
    ...(hardware !== undefined && { hardware }),
    config,
    schedulers: list.specs,
    trials,
    seed,
    ...asked,
    origins: originsOf(merged, list, config),
  };
}

/** What is asked of a run. */
function targetsFrom({ values, places }: Merged): {
  readonly conditions: readonly Condition[];
  readonly issues: readonly Issue[];
} {
  const key = "slo.targets";
  const { targets } = (values.slo ?? {}) as { targets?: string };
  if (targets === undefined) return { conditions: [], issues: [] };
  const { at, name } = nameOf(places.get(key)!);
  const read = readSlo(targets, hint);
  const problems = [
    ...read.problems,
    ...Object.keys(read.requests).map(
      (one) => `${one.replace("Seconds", "")} is asked of each request (slo.${one})`,
    ),
  ];
  return {
    conditions: read.targets,
    issues: problems.map((problem) => ({ key, message: `${at}${name}: ${problem}` })),
  };
}

/**
 * Each problem once. What is missing is only told when nothing else is wrong: a setting that was refused
 * would show up as missing too.
 */
function withoutEchoes(early: readonly Issue[], late: readonly Issue[]): Issue[] {
  const told = new Set<string>();
  const isMissing = ({ message }: Issue): boolean => /^(?:.*: )?missing /.test(message);
  const kept = early.every(isMissing) ? late : late.filter((issue) => !isMissing(issue));
  return [...early, ...kept].filter(({ message }) => !told.has(message) && told.add(message));
}

/** The merged settings with every default of core, keys in the order of the definitions. */
function baseOf(values: Readonly<Record<string, unknown>>, registry: Registry): BaseConfig {
  const given = { ...values, workload: values.workload ?? {} } as unknown as PartialConfig;
  const requests = Object.fromEntries(
    Object.entries((values.slo ?? {}) as Record<string, number | null>).filter(([key]) => key !== "targets"),
  );
  const asks = Object.values(requests).some((limit) => limit !== null);
  const { workload, service, engine, conventions, horizon, slo } = complete(
    { ...given, ...(asks ? { slo: requests } : { slo: undefined }) } as PartialConfig,
    registry,
  );
  const inOrder = (family: readonly Described[], spec: Spec): Spec => {
    const definition = family.find(({ name }) => name === spec?.kind);
    return definition ? completed(definition, spec) : spec;
  };
  return {
    workload: {
      arrivals: inOrder(registry.arrivals, workload.arrivals),
      promptTokens: inOrder(registry.lengths, workload.promptTokens),
      outputTokens: inOrder(registry.lengths, workload.outputTokens),
      ...(capOf(workload) !== null && { maxConcurrency: workload.maxConcurrency! }),
    },
    service: inOrder(registry.serviceTimes, service),
    engine: {
      ...engine,
      discipline: inOrder(registry.disciplines, engine.discipline),
      router: inOrder(registry.routers, engine.router),
    },
    conventions,
    horizon,
    ...(slo && { slo }),
  };
}

function originsOf(merged: Merged, list: SchedulerList, config: BaseConfig): Map<string, string> {
  const origins = new Map<string, string>();
  const put = (key: string, place: Place | undefined): void => {
    origins.set(key, place ? originOf(place) : "defaults");
  };
  const walk = (value: unknown, key: string): void => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) put(key, merged.places.get(key));
    else for (const [name, below] of Object.entries(value)) walk(below, key === "" ? name : `${key}.${name}`);
  };
  for (const key of ["scenario", "schedulers", "trials", "seed"]) put(key, merged.places.get(key));
  walk(config, "");
  list.specs.forEach((spec, i) => {
    for (const name of Object.keys(spec))
      put(`schedulers.${i}.${name}`, list.places[i].get(`scheduler.${name}`));
  });
  return origins;
}
