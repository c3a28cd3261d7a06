/**
 * Lays the layers of a study over each other, key by key, and remembers where each setting came from.
 *
 * Merging is deep. A spec that changes its kind keeps the options that the new kind has too and loses the
 * rest; a list replaces the earlier one; a word for the conventions sets all four. What is not in the tree
 * of keys is refused here, so that nothing unknown, `__proto__` for one, is ever copied; ranges are core's.
 */
import { checkOptions } from "../core/options/check-options.js";
import { optionsOf, type GroupNode, type OptionNode, type SpecNode } from "./keys.js";
import type { Tell } from "./layer-issues.js";
import type { Layer, Place } from "./layer.js";
import { invalid, unknownKey, unknownKind } from "./telling.js";

type Tree = Record<string, unknown>;

export interface Merged {
  /** The settings, without defaults of core; `schedulers` is the last list, as it was given. */
  readonly values: Tree;
  /** Where each dotted key's setting came from. */
  readonly places: ReadonlyMap<string, Place>;
}

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** −0 is 0, the word none is null where null is allowed, and a choice may look like a number. */
function plain({ option }: OptionNode, value: unknown): unknown {
  if (typeof value === "number") return option.choices?.includes(String(value)) ? String(value) : value + 0;
  if (value === "none" && option.nullable) return null;
  return Array.isArray(value)
    ? value.map((one: unknown) => (typeof one === "number" ? one + 0 : one))
    : value;
}

/** Whether core can be given the value to judge: a number or short word, or a list that is right already. */
function isPlain({ option }: OptionNode, value: unknown): boolean {
  if (Array.isArray(value))
    return (
      value.every((one) => typeof one === "number") &&
      checkOptions([option], { [option.key]: value }, "").length === 0
    );
  return value === null || typeof value === "number" || typeof value === "boolean";
}

/** Merges `layers`, the later over the earlier; `tell` hears of what is wrong with them. */
export function mergeLayers(layers: readonly Layer[], tree: GroupNode, tell: Tell): Merged {
  const merging = new Merging(tree, tell);
  for (const layer of layers) merging.group(tree, "", merging.values, layer.values, layer);
  const { values, places } = merging;
  return { values, places };
}

/** What has been merged so far. */
class Merging implements Merged {
  readonly values: Tree = {};
  readonly places = new Map<string, Place>();

  constructor(
    private readonly tree: GroupNode,
    private readonly tell: Tell,
  ) {}

  private set(into: Tree, name: string, node: OptionNode, given: unknown, place: Place): void {
    const value = plain(node, given);
    const { choices, kind } = node.option;
    const isWord = kind === "text" ? value !== "" : choices?.includes(value as string);
    if (typeof value === "string" ? isWord : isPlain(node, value)) {
      into[name] = value;
      this.places.set(place.key, place);
    } else this.tell(place.layer, place.key, () => invalid(place, node, value));
  }

  group(node: GroupNode, prefix: string, into: Tree, given: unknown, layer: Layer): void {
    const place = { layer, key: prefix.slice(0, -1) };
    const whole = typeof given === "string" ? node.words?.get(given) : undefined;
    if (whole) {
      for (const [name, value] of Object.entries(whole)) {
        into[name] = value;
        this.places.set(prefix + name, place);
      }
    } else if (!isTree(given)) this.tell(layer, place.key, () => invalid(place, node, given));
    else for (const name of Object.keys(given)) this.child(node, prefix, into, name, given, layer);
  }

  private child(
    parent: GroupNode,
    prefix: string,
    into: Tree,
    name: string,
    given: Tree,
    layer: Layer,
  ): void {
    const value = given[name];
    const place = { layer, key: prefix + name };
    const node = parent.children.get(name);
    if (value === undefined) return;
    if (!node) this.tell(layer, place.key, () => unknownKey(place, name, parent, undefined, this.tree));
    else if (node.type === "option") this.set(into, name, node, value, place);
    else if (node.type === "spec") into[name] = this.spec(node, place, into[name], value);
    else if (node.type === "group") {
      if (!isTree(into[name])) into[name] = {};
      this.group(node, `${place.key}.`, into[name] as Tree, value, layer);
    } else if (node.type === "text" && (typeof value !== "string" || value === ""))
      this.tell(layer, place.key, () => invalid(place, node, value));
    else if (node.type === "list" || !node.aside) {
      into[name] = value;
      this.places.set(place.key, place);
    }
  }

  private spec(node: SpecNode, place: Place, current: unknown, given: unknown): unknown {
    if (!isTree(given)) {
      this.tell(place.layer, place.key, () => invalid(place, node, given));
      return current;
    }
    const before = isTree(current) ? current : {};
    const kind = given.kind === undefined ? before.kind : given.kind;
    const definition = node.family.find(({ name }) => name === kind);
    if (given.kind !== undefined && !definition) {
      const at = { ...place, key: `${place.key}.kind` };
      this.tell(at.layer, at.key, () => unknownKind(at, node, given.kind));
      return current;
    }
    const known = optionsOf(node, kind);
    const next: Tree = {};
    for (const name of Object.keys(before))
      if (name === "kind" || known.some(({ key }) => key === name)) next[name] = before[name];
      else this.places.delete(`${place.key}.${name}`);
    if (given.kind !== undefined) {
      next.kind = kind;
      this.places.set(`${place.key}.kind`, { ...place, key: `${place.key}.kind` });
    }
    for (const name of Object.keys(given)) {
      if (name === "kind" || given[name] === undefined) continue;
      const at = { ...place, key: `${place.key}.${name}` };
      const option = known.find(({ key }) => key === name);
      if (option) this.set(next, name, { type: "option", option }, given[name], at);
      else this.tell(at.layer, at.key, () => unknownKey(at, name, node, kind, this.tree));
    }
    return next;
  }
}
