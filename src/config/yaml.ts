/**
 * Reads YAML or JSON text (YAML 1.2 contains JSON) as plain values that remember their lines.
 *
 * The text is untrusted: no tags, no second document, no key twice, few aliases, a limit on size and nesting.
 * Keys are compared here, with a set, because the library compares every pair of them. The library
 * (70 ms) loads when the first text is read.
 */
import type * as YamlModule from "yaml";
import type { Alias, Document, Node, Pair, YAMLMap, LineCounter } from "yaml";
import { ConfigError } from "../core/errors.js";
import { Issues } from "../core/issues.js";
import { DEEPEST_NESTING, refuseExcess } from "./nesting.js";

const MOST_ALIASES = 100;

/** What a text says, and where. */
export interface Parsed {
  /** Plain data; null for an empty text. It may hold keys such as `__proto__`, as own properties. */
  readonly value: unknown;
  /** The line, from 1, of the key or list element that `path` leads to; undefined where the text has none. */
  lineOf(path: readonly string[]): number | undefined;
  /** Line and column of the same, both from 1. */
  placeOf(path: readonly string[]): { readonly line: number; readonly col: number } | undefined;
}

type Yaml = typeof YamlModule;

/**
 * Parses `text`; `file` names it in errors.
 * @throws ConfigError with issues `file:line:col: message`, at most ten and how many more
 */
export async function parseText(text: string, file: string): Promise<Parsed> {
  refuseExcess(text, file);
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const document = documentOf(yaml, text, file, lines);
  const placeOf = placesIn(yaml, document, lines);
  const lineOf = (path: readonly string[]): number | undefined => placeOf(path)?.line;
  try {
    return { value: document.toJS({ maxAliasCount: MOST_ALIASES }) as unknown, lineOf, placeOf };
  } catch (error) {
    throw new ConfigError([{ key: "", message: `${file}: ${inOurWords((error as Error).message)}` }]);
  }
}

/** Refuses what is no YAML, and keys that stand twice. */
function documentOf(yaml: Yaml, text: string, file: string, lines: LineCounter): Document {
  const issues = new Issues(file);
  const report = (offset: number, message: string): void => {
    issues.add(() => {
      const { line, col } = lines.linePos(offset);
      return { key: "", message: `${file}:${line}:${col}: ${inOurWords(message)}` };
    });
  };
  let document: Document;
  const { stackTraceLimit } = Error;
  try {
    // The library makes an Error of each problem, and 120,000 stacks take five times as long as the parsing.
    Error.stackTraceLimit = 0;
    const parsed = yaml.parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      schema: "core",
      merge: false,
      resolveKnownTags: false,
      stringKeys: true,
      uniqueKeys: false,
      logLevel: "error",
    });
    for (const { pos, message } of [...parsed.errors, ...parsed.warnings]) report(pos[0], message);
    if (issues.count === 0)
      yaml.visit(parsed, {
        Map(_, { items }) {
          const seen = new Set<string>();
          for (const pair of items) {
            const key = keyOf(yaml, pair);
            if (seen.has(key))
              report(startOf(pair.key), `duplicate key: ${JSON.stringify(key).slice(1, -1)}`);
            seen.add(key);
          }
        },
      });
    document = parsed;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError([{ key: "", message: `${file}: ${inOurWords(error.message)}` }]);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  issues.refuse();
  return document;
}

const keyOf = (yaml: Yaml, { key }: Pair): string => (yaml.isScalar(key) ? String(key.value) : "");

/** Where what a path leads to stands in a document. */
function placesIn(yaml: Yaml, document: Document, lines: LineCounter): Parsed["placeOf"] {
  /** Pairs by key: who asks for the places of a thousand keys does not search for each. */
  const pairs = new WeakMap<object, Map<string, Pair>>();
  const pairOf = (map: YAMLMap, key: string): Pair | undefined => {
    const known = pairs.get(map) ?? new Map(map.items.map((pair) => [keyOf(yaml, pair), pair]));
    pairs.set(map, known);
    return known.get(key);
  };
  const targets = new WeakMap<Alias, unknown>();
  const targetOf = (alias: Alias): unknown => {
    if (!targets.has(alias)) targets.set(alias, alias.resolve(document));
    return targets.get(alias);
  };
  return (path) => {
    let node: unknown = document.contents;
    let offset: number | undefined;
    for (const name of path) {
      if (yaml.isAlias(node)) node = targetOf(node);
      if (yaml.isMap(node)) {
        const pair = pairOf(node, name);
        if (!pair) return undefined;
        offset = startOf(pair.key);
        node = pair.value;
      } else if (yaml.isSeq(node) && node.items[Number(name)]) {
        node = node.items[Number(name)];
        offset = startOf(node);
      } else return undefined;
    }
    return offset === undefined ? undefined : lines.linePos(offset);
  };
}

const startOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;

/** The library's messages in the style of this program: one lower-case line. */
function inOurWords(message: string): string {
  if (message.startsWith("Excessive alias")) return `too many aliases (at most ${MOST_ALIASES})`;
  if (message.startsWith("Unresolved tag")) return `tags are not allowed: ${message.replace(/^.*?: /, "")}`;
  if (message.startsWith("Maximum call stack"))
    return `nested too deeply (at most ${DEEPEST_NESTING} levels)`;
  // A message may quote the text, and the text may be long.
  const short = message.length > 160 ? `${message.slice(0, 157)}...` : message;
  return short.charAt(0).toLowerCase() + short.slice(1).replace(/\s+/g, " ");
}
