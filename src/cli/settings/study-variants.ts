/**
 * What `sweep --vary` and `compare --with` change of a study: each change is layers over all others, so that a key
 * is known, checked and named in errors as everywhere. A flag's name (`lam`, `chunk-size`) stands for its key.
 */
import type { Layer } from "../../config/layer.js";
import { parseValues } from "../../config/lists.js";
import { parseSet } from "../../config/set.js";
import { ConfigError, type Issue } from "../../core/errors.js";
import type { Experiment } from "../../experiments/interface/experiment.js";
import type { Variant } from "../../experiments/interface/study.js";
import { isScenarioFile } from "../../io/scenarios.js";
import { MODEL_FLAGS } from "../../flags/flags.js";
import { camelCase, flagName } from "../../flags/options.js";
import type { Flags } from "../../flags/given-flags.js";

/** A variant before its study is made. */
export interface Change extends Omit<Variant, "study"> {
  /** The scenario that it starts from, where that is another. */
  readonly scenario?: string;
  readonly layers: readonly Layer[];
}

const MOST_VARIANTS = 1000;
const MOST_KEYS = 2;
/** What no variant may set: all share the random numbers of the same trials. */
const SHARED = ["seed", "trials"];

/** The key that a word stands for. */
export function keyOf(word: string): string {
  const name = word.replace(/^--/, "");
  if (name === "scheduler") return "schedulers";
  return MODEL_FLAGS.find(({ flag }) => flagName(flag) === `--${name}`)?.key ?? name;
}

/**
 * The changes that the flags ask for; problems are added to `issues`.
 * @param fileLayer reads a configuration file
 */
export async function changesOf(
  experiment: Experiment,
  flags: Flags,
  fileLayer: (name: string) => Promise<Layer>,
  issues: Issue[],
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const { kind, flag } of experiment.options) {
    const given = (flags[camelCase(flag)] as string[] | undefined) ?? [];
    try {
      if (kind === "vary") changes.push(...(await varied(given)));
      if (kind === "with") changes.push(...(await changed(given, fileLayer, issues)));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
  }
  return changes;
}

const refuse = (key: string, message: string): never => {
  throw new ConfigError([{ key, message: `${key}${message}` }]);
};

/** Key and text of an assignment. */
function assignment(text: string, flag: string): [key: string, value: string] {
  const at = text.indexOf("=");
  if (at <= 0) refuse(flag, `: no key: ${text || "nothing"} (write key=value, e.g. engine.maxTokens=512)`);
  const key = keyOf(text.slice(0, at).trim());
  if (SHARED.includes(key))
    refuse(
      flag,
      ` ${key}: not a setting of the simulation (all share the random numbers of the same trials)`,
    );
  return [key, text.slice(at + 1).trim()];
}

const cellOf = (value: number | string): string | number | null => (value === "none" ? null : value);

/** Every combination of the lists' values, the last key's running fastest. */
async function varied(given: readonly string[]): Promise<Change[]> {
  if (given.length === 0 || given.length > MOST_KEYS)
    refuse(
      "--vary",
      given.length === 0
        ? ": missing (key=list, e.g. --vary engine.maxTokens=256:2048:x2)"
        : `: ${given.length} keys (one or two)`,
    );
  const axes = given.map((text) => {
    const [key, list] = assignment(text, "--vary");
    return { key, values: parseValues(list, `--vary ${key}`) };
  });
  const [one, two] = axes;
  if (one.key === two?.key) refuse("--vary", ` ${one.key}: twice (two keys, or one list)`);
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > MOST_VARIANTS) refuse("--vary", `: ${count} points (at most ${MOST_VARIANTS})`);
  const points = axes.reduce<[string, number | string][][]>(
    (all, { key, values }) =>
      all.flatMap((point) => values.map((value) => [...point, [key, value] as [string, number | string]])),
    [[]],
  );
  return Promise.all(
    points.map(async (point) => {
      const layer = await parseSet(
        point.filter(([key]) => key !== "scenario").map(([key, value]) => `${key}=${value}`),
        "--vary",
      );
      const scenario = point.find(([key]) => key === "scenario")?.[1];
      return {
        label: point.map(([key, value]) => `${key} ${value}`).join(", "),
        settings: Object.fromEntries(point.map(([key, value]) => [key, cellOf(value)])),
        ...(scenario !== undefined && { scenario: String(scenario) }),
        layers: [layer],
      };
    }),
  );
}

/** The study as it was given, and with each of the changes; every problem at once. */
async function changed(
  given: readonly string[],
  fileLayer: (name: string) => Promise<Layer>,
  issues: Issue[],
): Promise<Change[]> {
  const changes: Change[] = [{ label: "as given", settings: {}, layers: [] }];
  if (given.length > MOST_VARIANTS) refuse("--with", `: ${given.length} changes (at most ${MOST_VARIANTS})`);
  for (const [i, text] of given.entries())
    try {
      if (given.indexOf(text) < i) refuse("--with", `: ${text} twice (each once)`);
      changes.push(await change(text, fileLayer));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
  return changes;
}

/** The parts between commas; one that is inside a list has a closing bracket before the next opening one. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let end = text.length;
  let next = "";
  for (let i = text.length - 1; i >= 0; i--)
    if (text[i] === "[" || text[i] === "]") next = text[i];
    else if (text[i] === "," && next !== "]") {
      parts.push(text.slice(i + 1, end));
      end = i;
    }
  parts.push(text.slice(0, end));
  return parts.reverse().map((part) => part.trim());
}

/** One change: a scenario, files and assignments with commas between. */
async function change(text: string, fileLayer: (name: string) => Promise<Layer>): Promise<Change> {
  const assignments: string[] = [];
  const layers: Layer[] = [];
  let scenario: string | undefined;
  for (const part of partsOf(text)) {
    if (part === "")
      refuse("--with", `: empty part in ${text || "nothing"} (a scenario, a file, or key=value)`);
    if (!part.includes("=")) {
      if (isScenarioFile(part)) layers.push(await fileLayer(part));
      else scenario = part;
      continue;
    }
    const [key, value] = assignment(part, "--with");
    if (key === "scenario") scenario = value;
    else assignments.push(`${key}=${value}`);
  }
  return {
    label: text,
    settings: {},
    ...(scenario !== undefined && { scenario }),
    layers: [...layers, ...(assignments.length > 0 ? [await parseSet(assignments, "--with")] : [])],
  };
}
