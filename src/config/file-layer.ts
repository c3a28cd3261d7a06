/** A YAML or JSON file as a layer: parsed, checked against its schema, every problem with file and line. */
import { ConfigError, type Issue } from "../core/errors.js";
import { Issues } from "../core/issues.js";
import { builtIn, type Registry } from "../core/configuration/registry.js";
import { HARDWARE_VERSION, hardwareTree } from "./hardware-keys.js";
import { scenarioTree, studyTree, type GroupNode } from "./keys.js";
import { nameOf, type Layer, type Place } from "./layer.js";
import { follow, invalid, kindOf, unknownKey, unknownKind } from "./telling.js";
import { parseText, type Parsed } from "./yaml.js";

/** What zod reports; an issue of a union carries those of its branches. */
interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly SchemaIssue[])[];
}

/**
 * Reads a file's text. Problems do not throw: they stand in the layer's `issues`, so that `resolveStudy` tells
 * them with those of all other layers.
 * @param file the file as the user named it
 * @param kind a `--config` file is a study; a scenario file must have its workload and service complete; the values of
 *   a hardware file are its own, and problems are told with their column too
 */
export async function fileLayer(
  text: string,
  file: string,
  kind: "study" | "scenario" | "hardware",
  registry: Registry = builtIn,
): Promise<Layer> {
  let parsed: Parsed;
  try {
    parsed = await parseText(text, file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { source: file, values: {}, issues: error.issues };
  }
  const origin = (key: string): string | undefined => {
    const place = key === "" ? undefined : parsed.placeOf(key.split("."));
    if (!place) return undefined;
    return `${file}:${place.line}:${kind === "hardware" ? `${place.col}:` : ""} ${key}`;
  };
  const root = parsed.value ?? {};
  const layer: Layer = { source: file, values: {}, origin };
  if (typeof root !== "object" || Array.isArray(root))
    return {
      ...layer,
      issues: [{ key: "", message: `invalid ${file}: not a set of keys (a ${kind} file)` }],
    };

  const [{ z }, schemas] = await Promise.all([import("zod"), import("./schema.js")]);
  const newer = kind === "hardware" ? newerVersion(root, layer) : undefined;
  if (newer) return { ...layer, issues: [newer] };
  const [tree, schema] = {
    study: () => [studyTree(registry), schemas.studySchema(z, registry)] as const,
    scenario: () => [scenarioTree(registry), schemas.scenarioSchema(z, registry)] as const,
    hardware: () => [hardwareTree(registry), schemas.hardwareSchema(z, registry)] as const,
  }[kind]();
  const found = schema.safeParse(root);
  const drafts = found.success ? [] : draftsOf(found.error.issues, [], tree, root, layer);
  const lines = new Map(drafts.map((draft) => [draft, lineNear(parsed, draft.key)]));
  const issues = new Issues(file);
  for (const { issue } of drafts.sort((a, b) => lines.get(a)! - lines.get(b)!)) issues.add(issue);
  return { ...layer, values: root, issues: issues.list() };
}

/** A file of a newer version is refused as that: its other keys may mean what this program does not know. */
function newerVersion(root: object, layer: Layer): Issue | undefined {
  const { version } = root as { version?: unknown };
  if (typeof version !== "number" || !(version > HARDWARE_VERSION)) return undefined;
  const { at } = nameOf({ layer, key: "version" });
  const message = `${at}unknown version: ${version} (at most ${HARDWARE_VERSION}: a newer llmsim wrote this file)`;
  return { key: "version", message };
}

/** The line of a key, or of what it is missing from; 0 for the whole file. */
function lineNear(parsed: Parsed, key: string): number {
  for (const path = key.split("."); path.length > 0; path.pop()) {
    const line = parsed.lineOf(path);
    if (line !== undefined) return line;
  }
  return 0;
}

/** A problem at a key, still without its words. */
interface Draft {
  readonly key: string;
  readonly issue: () => Issue;
}

/** zod's issues, to be told in the words of all others. Of a union's branches the one that was meant is told. */
function draftsOf(
  found: readonly SchemaIssue[],
  base: readonly string[],
  tree: GroupNode,
  root: object,
  layer: Layer,
): Draft[] {
  return found.flatMap((issue): Draft[] => {
    const path = [...base, ...issue.path.map(String)];
    const { node, value, length } = follow(tree, path, root);
    const place: Place = { layer, key: path.slice(0, length).join(".") };
    if (!node) return [];
    const draft = (words: () => Issue): Draft[] => [{ key: place.key, issue: words }];
    if (issue.code === "unrecognized_keys" && node.type !== "option")
      return (issue.keys ?? []).map((name) => {
        const key = [...path, name].join(".");
        return { key, issue: () => unknownKey({ layer, key }, name, node, kindOf(value), tree) };
      });
    if (node.type === "option" && path[length - 1] === "kind") {
      const family = follow(tree, path.slice(0, length - 1), root).node;
      if (family?.type === "spec") return draft(() => unknownKind(place, family, value));
    }
    const branches = node.type === "option" ? [] : (issue.errors ?? []);
    const inList = node.type === "spec" && /\.\d+$/.test(place.key);
    if (branches.length === 0 || typeof value !== "object" || value === null)
      return draft(() => (inList ? unknownKind(place, node, value) : invalid(place, node, value)));
    // Branches stand in this order: a word, a spec with its kind; then the rest.
    const meant = node.type === "spec" && !inList && "kind" in value ? branches[0] : branches.at(-1);
    return draftsOf(meant!, path, tree, root, layer);
  });
}
