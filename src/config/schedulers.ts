/**
 * The schedulers of a study: the last list of the layers, and options (`scheduler.ratio`) for every scheduler
 * that has them. Of an option given both ways the later layer wins; in one layer, the list's.
 */
import { withDefaults } from "../core/options/check-options.js";
import type { Described, OptionValue, Spec } from "../core/options/definition.js";
import type { Issue } from "../core/errors.js";
import type { Registry } from "../core/configuration/registry.js";
import { type GroupNode, type ListNode, type SpecNode } from "./keys.js";
import type { Tell } from "./layer-issues.js";
import { nameOf, type Layer, type Place } from "./layer.js";
import { mergeLayers, type Merged } from "./merge.js";
import { invalid, show, unknownKind } from "./telling.js";

type Settings = Record<string, unknown>;

export interface SchedulerList {
  readonly specs: readonly Spec[];
  /** Where the settings of each spec came from, by `scheduler.<option>`. */
  readonly places: readonly ReadonlyMap<string, Place>[];
}

/** A spec with every default, its keys always in the definition's order. */
export function completed(definition: Described, given: Settings): Spec {
  const full = withDefaults<Settings>(definition.options, given);
  const options = definition.options.map(({ key }) => [key, full[key]] as const);
  return Object.fromEntries([
    ["kind", definition.name],
    ...options.filter(([, value]) => value !== undefined),
  ]) as Spec;
}

/**
 * The schedulers of merged layers, completed but not checked; those of no known kind are left out, and `tell` hears
 * of them.
 */
export function readSchedulers(
  merged: Merged,
  layers: readonly Layer[],
  node: ListNode,
  registry: Registry,
  tell: Tell,
): SchedulerList {
  const specs: Spec[] = [];
  const places: Map<string, Place>[] = [];
  let isSound = true;
  const list = merged.places.get("schedulers");
  const given = entries(merged.values.schedulers);
  const nowhere: Place = { layer: { source: "defaults", values: {} }, key: "schedulers" };
  if (!list || !given || given.length === 0) {
    const at = list ?? nowhere;
    tell(at.layer, at.key, () => invalid(at, node, merged.values.schedulers));
    return { specs, places };
  }

  given.forEach((entry, i) => {
    const place = { layer: list.layer, key: `schedulers.${i}` };
    const kind = typeof entry === "string" ? entry : (entry as Settings | null)?.kind;
    const definition = registry.schedulers.find(({ name, short }) => name === kind || short === kind);
    if (!definition) refuse(place, () => unknownKind(place, node.each, kind ?? entry, "schedulers"));
    else {
      const own = typeof entry === "string" ? {} : (entry as Settings);
      const item = readItem(definition, own, i, list.layer, node.each, (_, key, issue) =>
        refuse({ layer: list.layer, key }, issue),
      );
      overlay(definition, item.settings, item.places);
      specs.push(completed(definition, item.settings));
      places.push(item.places);
    }
  });

  unused();
  for (const { kind } of twinsIn(specs))
    refuse(list, () => {
      const { at, name } = nameOf(list);
      return { key: "schedulers", message: `${at}invalid ${name}: ${kind} twice (each scheduler once)` };
    });
  return { specs, places };

  function refuse({ layer, key }: Place, issue: () => Issue): void {
    isSound = false;
    tell(layer, key, issue);
  }

  /** Options for all schedulers: over the item's own when their layer is later than the list's. */
  function overlay(definition: Described, settings: Settings, at: Map<string, Place>): void {
    for (const [key, value] of Object.entries((merged.values.scheduler ?? {}) as Settings)) {
      const name = `scheduler.${key}`;
      const place = merged.places.get(name)!;
      if (!definition.options.some((option) => option.key === key)) continue;
      if (at.has(name) && layers.indexOf(place.layer) <= layers.indexOf(list!.layer)) continue;
      settings[key] = value;
      at.set(name, place);
    }
  }

  /** An option that no scheduler has does nothing: refused, unless a later layer replaced the list it was for. */
  function unused(): void {
    if (!isSound) return;
    for (const [key, value] of Object.entries((merged.values.scheduler ?? {}) as Settings)) {
      const place = merged.places.get(`scheduler.${key}`)!;
      if (layers.indexOf(place.layer) < layers.indexOf(list!.layer)) continue;
      if (places.some((at) => at.has(place.key))) continue;
      const { at, name } = nameOf(place);
      const names = specs.map((spec) => spec.kind).join(", ");
      refuse(place, () => ({
        key: place.key,
        message: `${at}invalid ${name}: ${show(value)} (not an option of ${names})`,
      }));
    }
  }
}

/** Specs that stood before already. */
function twinsIn(specs: readonly Spec[]): Spec[] {
  const seen = new Set<string>();
  return specs.filter((spec) => {
    const text = JSON.stringify(spec);
    return seen.has(text) || !seen.add(text);
  });
}

/** The entries of a list, however it was given; undefined for what is none. */
function entries(given: unknown): readonly unknown[] | undefined {
  if (Array.isArray(given)) return given as unknown[];
  if (typeof given !== "string" || given.trim() === "") return undefined;
  return given.split(",").map((name) => name.trim());
}

/** One entry's own options, through the same merging as every other spec. */
function readItem(
  definition: Described,
  own: Settings,
  i: number,
  layer: Layer,
  each: SpecNode,
  tell: Tell,
): { settings: Settings; places: Map<string, Place> } {
  const group = (key: string, child: GroupNode | SpecNode): GroupNode => ({
    type: "group",
    summary: "",
    children: new Map([[key, child]]),
  });
  const values = { schedulers: { [i]: { ...own, kind: definition.name } } } as unknown as Layer["values"];
  const tree = group("schedulers", group(String(i), each));
  const merged = mergeLayers([{ ...layer, values }], tree, tell);
  const settings = (merged.values.schedulers as Record<number, Record<string, OptionValue>>)[i];
  const places = new Map<string, Place>();
  for (const [key, place] of merged.places) places.set(key.replace(/^schedulers\.\d+/, "scheduler"), place);
  return { settings, places };
}
