/** `--set key=value`: the configuration's own keys on the command line, values in YAML. */
import { ConfigError } from "../core/errors.js";
import { Issues } from "../core/issues.js";
import type { Layer } from "./layer.js";
import { show } from "./telling.js";
import { parseText } from "./yaml.js";

type Tree = Record<string, unknown>;

/** What no key is called; the tree of keys refuses them anyway, but a tree is built here first. */
const REFUSED = new Set(["__proto__", "constructor", "prototype"]);

/**
 * The layer that assignments make, e.g. `engine.maxTokens=512`, `workload.promptTokens.values=[32,128]` or,
 * without brackets, `=32,128`; `flag` names them in errors. The last of two assignments to a key wins. Problems stand in the layer's
 * `issues`, so that `resolveStudy` tells them with all others; it also finds unknown keys.
 */
export async function parseSet(assignments: string | readonly string[], flag = "--set"): Promise<Layer> {
  const values: Tree = {};
  const issues = new Issues(flag);
  for (const text of typeof assignments === "string" ? [assignments] : assignments) {
    const equals = text.indexOf("=");
    const key = (equals < 0 ? text : text.slice(0, equals)).trim();
    const shown = show(key === "" ? text : key);
    const fail = (message: string): void =>
      issues.add(() => ({ key, message: `${flag} ${shown}: ${message}` }));
    const path = key.split(".");
    if (equals < 0) fail("no value (write key=value, e.g. engine.maxTokens=512)");
    else if (path.includes("")) fail("not a key (write key=value, e.g. engine.maxTokens=512)");
    else if (path.some((name) => REFUSED.has(name))) fail("refused key");
    else if (text.slice(equals + 1).trim() === "") fail("no value (write null for none)");
    else
      try {
        put(values, path, await parseValue(text.slice(equals + 1)));
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const [first] = error.issues; // the others, of so short a text, follow from it
        fail(first.message.replace(/^value[:\d]*: /, ""));
      }
  }
  // An element of a list has no assignment of its own.
  const origin = (key: string): string => {
    const element = key.search(/\.\d/);
    return `${flag} ${element < 0 ? key : key.slice(0, element)}`;
  };
  return { source: flag, values, origin, issues: issues.list() };
}

/** What YAML, too, reads as this number; for it alone the parser is not loaded (100 ms). */
const PLAIN_NUMBER = /^(0|[1-9]\d{0,14})(\.\d{1,20})?$/;

/** A YAML value; words or numbers with commas between are a list without its brackets. */
async function parseValue(text: string): Promise<unknown> {
  if (PLAIN_NUMBER.test(text)) return Number(text);
  const bare = text.includes(",") && !/[[\]{}"'#:]/.test(text);
  return (await parseText(bare ? `[${text}]` : text, "value")).value;
}

function put(into: Tree, path: readonly string[], value: unknown): void {
  let tree = into;
  for (const name of path.slice(0, -1)) {
    const below = tree[name];
    const open = typeof below === "object" && below !== null && !Array.isArray(below);
    tree = (open ? below : (tree[name] = {})) as Tree;
  }
  tree[path.at(-1)!] = value;
}
