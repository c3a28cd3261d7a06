/** Issues in the words of the house: `kind noun: value (what is allowed)`, each named as its layer names it. */
import { allowed } from "../core/options/check-options.js";
import type { Issue } from "../core/errors.js";
import { allKeys, childKeys, namesOf, step, type GroupNode, type KeyNode } from "./keys.js";
import { nameOf, type Place } from "./layer.js";
import { hint } from "./suggest.js";

const LONGEST_SHOWN = 60;
const MOST_SHOWN = 5;

/** The text, shortened where it is long. */
export const cut = (text: string): string =>
  text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 3)}...` : text;

/** A value as an error shows it: one short line, whatever it is. */
export function show(value: unknown): string {
  if (typeof value === "string") {
    const plain = JSON.stringify(value.slice(0, LONGEST_SHOWN + 1)).slice(1, -1);
    return value.trim() === "" || !Number.isNaN(Number(value)) ? `"${cut(plain)}"` : cut(plain);
  }
  if (Array.isArray(value)) {
    const more = value.length > MOST_SHOWN ? ", ..." : "";
    return `[${value
      .slice(0, MOST_SHOWN)
      .map((one) => (Array.isArray(one) ? "[...]" : show(one)))
      .join(", ")}${more}]`;
  }
  if (value === undefined) return "nothing";
  if (typeof value === "object") return value === null ? "null" : "{...}";
  return typeof value === "number" || typeof value === "boolean" ? String(value) : typeof value;
}

/** What stands in an error's parentheses for a node. */
export function allows(node: KeyNode): string {
  if (node.type === "option") return allowed(node.option);
  if (node.type === "text") return "a text";
  if (node.type === "list") return `a list of: ${node.each.family.map(({ name }) => name).join(", ")}`;
  if (node.type === "spec")
    return `${node.noun}, kind one of: ${node.family.map(({ name }) => name).join(", ")}`;
  const keys = `keys: ${childKeys(node).join(", ")}`;
  return node.words ? `one of: ${[...node.words.keys()].join(", ")}; or ${keys}` : keys;
}

/** What a wrong word at a node may have meant. */
function meant(node: KeyNode, value: unknown): string {
  if (typeof value !== "string") return "";
  if (node.type === "option") return hint(value, node.option.choices ?? []);
  return node.type === "group" && node.words ? hint(value, [...node.words.keys()]) : "";
}

/** `invalid engine.maxTokens: many (an integer at least 1 …)`, `missing …` when there is no value. */
export function invalid(place: Place, node: KeyNode, value: unknown, shown = place.key): Issue {
  const { at, name } = nameOf(place, shown);
  const message =
    value === undefined
      ? `${at}missing ${shown} (${allows(node)})`
      : `${at}invalid ${name}: ${show(value)} (${allows(node)})${meant(node, value)}`;
  return { key: shown, message };
}

/** Whether a name is that of an assignment (`--set engine.maxTokens`), not of a flag or a key. */
const isAssigned = (name: string): boolean => /^--[a-z]+ /.test(name);

/** `unknown length law: geometrc (one of: …) — did you mean geometric?` */
export function unknownKind(
  place: Place,
  node: KeyNode & { type: "spec" },
  value: unknown,
  shown = place.key,
): Issue {
  const { at, name } = nameOf(place, shown);
  const names = node.family.map((member) => member.name).join(", ");
  if (value === undefined) return { key: shown, message: `${at}missing ${shown} (one of: ${names})` };
  const lead = isAssigned(name) ? `${name}: ` : at;
  const near = typeof value === "string" ? hint(value, namesOf(node)) : "";
  return { key: shown, message: `${lead}unknown ${node.noun}: ${show(value)} (one of: ${names})${near}` };
}

/** The kind of a spec, whatever stands there. */
export const kindOf = (value: unknown): unknown => (value as { kind?: unknown } | null | undefined)?.kind;

/** A key `name` that `parent` does not have (of `kind`, for a spec); `tree` is where it may have been meant for. */
export function unknownKey(
  place: Place,
  name: string,
  parent: KeyNode,
  kind: unknown,
  tree: GroupNode,
): Issue {
  const naming = nameOf(place);
  const siblings = childKeys(parent, kind);
  const prefix = place.key.slice(0, place.key.length - name.length);
  const all = allKeys(tree);
  // A key that another kind has is no slip of the finger.
  const near = all.includes(place.key)
    ? ""
    : hint(place.key, [...siblings.map((key) => prefix + key), ...all]);
  const owner = parent.type === "spec" && typeof kind === "string" ? `${kind} has` : "one of";
  const list = `(${owner}: ${siblings.join(", ")})`;
  const message = isAssigned(naming.name)
    ? `${naming.name.split(" ")[0]} ${show(place.key)}: unknown key${near === "" ? ` ${list}` : near}`
    : `${naming.at}unknown key: ${show(place.key)} ${list}${near}`;
  return { key: place.key, message };
}

/** The node that `path` leads to in the tree. A walk that meets a single setting ends there. */
export function follow(
  tree: GroupNode,
  path: readonly string[],
  root: unknown,
): { readonly node: KeyNode | undefined; readonly value: unknown; readonly length: number } {
  let node: KeyNode | undefined = tree;
  let value = root;
  let length = 0;
  for (const name of path) {
    if (node?.type === "option" || node?.type === "text" || node === undefined) break;
    node = step(node, name, value);
    value = (value as Record<string, unknown> | null | undefined)?.[name];
    length++;
  }
  return { node, value, length };
}

/** Dotted keys in a message of core. */
const KEYS = /\b(?:workload|service|engine|conventions|horizon|slo|scheduler)(?:\.\w+)+/g;

/**
 * An issue of core with its keys named as the layers name them. `places` says where each given key came from;
 * a key that was not given (`missing …`) keeps its name.
 */
export function retell(
  issue: Issue,
  places: ReadonlyMap<string, Place>,
  tree: GroupNode,
  values: unknown,
): Issue {
  const key = /^(?:invalid|missing) ([\w.]+)/.exec(issue.message)?.[1] ?? issue.key;
  const nearest = places.get(key) ?? places.get(`${key.slice(0, key.lastIndexOf(".") + 1)}kind`);
  const { node, value } = follow(tree, issue.key.split("."), values);
  if (issue.key.endsWith(".kind") && node) {
    const family = follow(tree, issue.key.split(".").slice(0, -1), values).node;
    if (family?.type === "spec")
      return unknownKind(nearest ?? { layer: { source: "defaults", values: {} }, key }, family, value);
  }
  const named = issue.message.replace(KEYS, (found) => {
    const place = places.get(found);
    return place ? nameOf(place).name : found;
  });
  const at = nearest ? nameOf(nearest).at : "";
  const place = places.get(key);
  const name = place ? nameOf(place).name : key;
  const whole = key.includes(".") ? named : named.replace(key, name);
  const isNamed = whole.includes(name) || whole.startsWith("missing ");
  return { key: issue.key, message: at + (isNamed ? whole : `${name}: ${whole}`) };
}
