/**
 * The tree of keys that a study or a scenario file may have, made from the option lists of core and the
 * registry. Merging, schemas, `--set` and did-you-mean all read this tree: there is no second list of keys.
 */
import {
  CONVENTION_OPTIONS,
  ENGINE_OPTIONS,
  HORIZON_OPTIONS,
  REFERENCE,
  STANDARD,
  WORKLOAD_OPTIONS,
} from "../core/configuration/config.js";
import type { Conventions } from "../core/configuration/config.js";
import type { Described, OptionSpec } from "../core/options/definition.js";
import { SLO_OPTIONS } from "../core/configuration/slo.js";
import type { Registry } from "../core/configuration/registry.js";

/** The options of a study that are not the simulation's; the caller's first layer gives the defaults. */
export const STUDY_OPTIONS: readonly OptionSpec[] = [
  { key: "trials", kind: "integer", min: 1, max: 1_000_000, summary: "independent runs of every point" },
  {
    key: "seed",
    kind: "integer",
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    summary: "the same seed gives the same bytes",
  },
];

/** The words that set all four conventions. */
export const CONVENTION_WORDS: ReadonlyMap<string, Conventions> = new Map([
  ["standard", STANDARD],
  ["reference", REFERENCE],
]);

/** A single setting. */
export interface OptionNode {
  readonly type: "option";
  readonly option: OptionSpec;
}
/** Free text, e.g. a summary. */
export interface TextNode {
  readonly type: "text";
  readonly summary: string;
  /** Part of the file, not of the study: accepted and left out. */
  readonly aside?: boolean;
}
/** Fixed keys. `words` may stand for the whole. */
export interface GroupNode {
  readonly type: "group";
  readonly summary: string;
  readonly children: ReadonlyMap<string, KeyNode>;
  readonly words?: ReadonlyMap<string, object>;
}
/** A member of a family: `kind` and the options of that kind. */
export interface SpecNode {
  readonly type: "spec";
  /** What core calls the family in errors. */
  readonly noun: string;
  readonly summary: string;
  readonly family: readonly Described[];
}
/** A list of names or specs. */
export interface ListNode {
  readonly type: "list";
  readonly summary: string;
  readonly each: SpecNode;
}
export type KeyNode = OptionNode | TextNode | GroupNode | SpecNode | ListNode;

export const text = (summary: string, aside = true): TextNode => ({ type: "text", summary, aside });
export const option = (spec: OptionSpec): OptionNode => ({ type: "option", option: spec });
export const group = (summary: string, children: Record<string, KeyNode>): GroupNode => ({
  type: "group",
  summary,
  children: new Map(Object.entries(children)),
});
const options = (specs: readonly OptionSpec[]): Record<string, KeyNode> =>
  Object.fromEntries(specs.map((spec) => [spec.key, option(spec)]));
export const spec = (noun: string, summary: string, family: readonly Described[]): SpecNode => ({
  type: "spec",
  noun,
  summary,
  family,
});

function model(registry: Registry): Record<string, KeyNode> {
  return {
    workload: group("what arrives", {
      arrivals: spec("arrival process", "when requests arrive", registry.arrivals),
      promptTokens: spec("length law", "prompt lengths, in tokens", registry.lengths),
      outputTokens: spec("length law", "output lengths, in tokens", registry.lengths),
      ...options(WORKLOAD_OPTIONS),
    }),
    service: spec("service-time model", "how long an iteration takes", registry.serviceTimes),
    engine: group("limits of the serving engine", {
      ...options(ENGINE_OPTIONS),
      discipline: spec("discipline", "order of the unstarted prompts", registry.disciplines),
      router: spec("router", "which replica's queue a request joins", registry.routers),
    }),
  };
}

export const schemaKey = { $schema: text("where an editor finds the JSON Schema of this file") };

/** The keys of a study: of `--config` files, `--set` and flags. */
export function studyTree(registry: Registry): GroupNode {
  const each = spec("scheduler", "a scheduler's name, or its kind and options", registry.schedulers);
  return group("a study: what a command of llmsim runs", {
    ...schemaKey,
    scenario: text("name of a scenario, or its file", false),
    hardware: text("name of a hardware file of the package, or the file: its service times", false),
    ...model(registry),
    conventions: {
      ...group(
        "conventions of the model: standard, reference, or single fields",
        options(CONVENTION_OPTIONS),
      ),
      words: CONVENTION_WORDS,
    },
    horizon: group("when arrivals end and measuring begins", options(HORIZON_OPTIONS)),
    slo: group("service-level objectives", {
      ...options(SLO_OPTIONS),
      targets: text("what is asked of a run, as in --slo: ttft_p99=1s,attainment=95%", false),
    }),
    scheduler: group("options for every scheduler of the study that has them", options(optionsOf(each))),
    schedulers: { type: "list", summary: "the schedulers to compare", each },
    ...options(STUDY_OPTIONS),
  });
}

/** The keys of a scenario file. */
export function scenarioTree(registry: Registry): GroupNode {
  return group("a scenario of llmsim: what arrives, on which engine", {
    ...schemaKey,
    name: text("the scenario's name"),
    alias: text("another name for it"),
    summary: text("what the scenario stands for, in a line"),
    source: text("where its numbers come from"),
    ...model(registry),
  });
}

/** The options of a spec of that kind; of all kinds, each key once, when the kind is not known. */
export function optionsOf(node: SpecNode, kind?: unknown): readonly OptionSpec[] {
  const definition = node.family.find((candidate) => candidate.name === kind);
  if (definition) return definition.options;
  const all = node.family.flatMap((member) => member.options);
  return all.filter((one, i) => all.findIndex((other) => other.key === one.key) === i);
}

/** Names and short names of a family. */
export const namesOf = (node: SpecNode): string[] =>
  node.family.flatMap(({ name, short }) => (short === undefined ? [name] : [name, short]));

/** The keys right below a node. */
export function childKeys(node: KeyNode, kind?: unknown): string[] {
  if (node.type === "group") return [...node.children.keys()].filter((key) => key !== "$schema");
  return node.type === "spec" ? ["kind", ...optionsOf(node, kind).map(({ key }) => key)] : [];
}

/** Every dotted key of the tree that takes a value, in its order. */
export function allKeys(node: KeyNode, prefix = ""): string[] {
  return childKeys(node).flatMap((key) => {
    const child = node.type === "group" ? node.children.get(key)! : undefined;
    const below = child ? allKeys(child, `${prefix}${key}.`) : [];
    return below.length > 0 ? below : [prefix + key];
  });
}

/** The step of a walk below `node`: what `name` leads to there, `value` being what the node holds. */
export function step(node: KeyNode, name: string, value: unknown): KeyNode | undefined {
  if (node.type === "group") return node.children.get(name);
  if (node.type === "list") return node.each;
  if (node.type !== "spec") return undefined;
  const choices = node.family.map((member) => member.name);
  if (name === "kind") return option({ key: name, kind: "choice", choices, summary: `which ${node.noun}` });
  const kind = (value as { kind?: unknown } | null | undefined)?.kind;
  const found = optionsOf(node, kind).find(({ key }) => key === name);
  return found && option(found);
}
