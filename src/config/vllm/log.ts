/**
 * What a vLLM server prints of its settings when it starts, line by line. Anything may stand before (time, process,
 * file, colours) and behind. What it prints of what it does outweighs what it was asked for: it may have refused that.
 */
import type { Issue } from "../../core/errors.js";
import { show } from "../telling.js";
import { KV_TOKENS, VERSION, type Fact } from "./fact.js";
import { readAssignments, readPython, type PythonValue } from "./python.js";

/** A kind of line: what it begins with, once its prefix is gone, and the settings that it tells. */
interface Kind {
  readonly start: string;
  /** undefined: not such a line after all; a text: what is wrong with it. */
  read(rest: string): ReadonlyMap<string, PythonValue> | string | undefined;
}

const one = (name: string, value: PythonValue | undefined): ReadonlyMap<string, PythonValue> | undefined =>
  value === undefined ? undefined : new Map([[name, value]]);
/** The number that a text begins with, commas between its digits left out. */
const leading = (text: string): number | undefined => {
  const digits = /^\d[\d,]{0,30}/.exec(text)?.[0];
  return digits === undefined ? undefined : Number(digits.replaceAll(",", ""));
};

/** Of the configuration only what is not to be had from elsewhere: much of it is no literal. */
const OF_CONFIGURATION = [
  "enable_prefix_caching",
  "enable_chunked_prefill",
  "tensor_parallel_size",
  "pipeline_parallel_size",
  "data_parallel_size",
  "decode_context_parallel_size",
  "speculative_config",
];

function configuration(rest: string): ReadonlyMap<string, PythonValue> | undefined {
  const end = rest.indexOf(")");
  if (end < 0) return undefined;
  const found = new Map<string, PythonValue>([[VERSION, rest.slice(0, end)]]);
  const begin = rest.indexOf("config:", end);
  const told = begin < 0 ? new Map<string, PythonValue>() : readAssignments(rest, begin + "config:".length);
  for (const name of OF_CONFIGURATION) {
    const value = told.get(name);
    // An engine of several says 1 where its replicas know nothing of each other.
    const isOwn = name === "data_parallel_size" && value === 1;
    if (value !== undefined && !isOwn) found.set(name, value);
  }
  return found;
}

function given(rest: string): ReadonlyMap<string, PythonValue> | string {
  const value = readPython(rest);
  if (!(value instanceof Map)) return "unreadable non-default args (a dict of Python)";
  const names = value as ReadonlyMap<PythonValue, PythonValue>;
  return new Map(
    [...names].flatMap(([name, one]) => (typeof name === "string" ? [[name, one] as const] : [])),
  );
}

/** What was asked for. */
const ASKED: Kind = { start: "non-default args: ", read: given };
const KINDS: readonly Kind[] = [
  ASKED,
  {
    start: "Chunked prefill is enabled with max_num_batched_tokens=",
    read: (rest) => one("max_num_batched_tokens", leading(rest)),
  },
  {
    start: "Asynchronous scheduling is ",
    read: (rest) =>
      one("async_scheduling", /^(?:en|dis)abled/.test(rest) ? rest.startsWith("en") : undefined),
  },
  { start: "Initializing a V1 LLM engine (v", read: configuration },
  {
    start: "GPU KV cache size: ",
    read: (rest) => one(KV_TOKENS, /^[\d,]+ tokens/.test(rest) ? leading(rest) : undefined),
  },
];

/** A line as it was found. */
interface Found {
  readonly facts: ReadonlyMap<string, PythonValue>;
  readonly number: number;
}

const NOTHING: Found = { facts: new Map(), number: 0 };

const text = (value: PythonValue | undefined): string =>
  JSON.stringify(value ?? null, (_, one: unknown) =>
    one instanceof Map ? [...(one as Map<unknown, unknown>)] : one,
  );
const isInteger = (value: PythonValue | undefined): boolean => typeof value === "number";

export class LogReader {
  private number = 0;
  private readonly found = new Map<Kind, Found>();
  private readonly issues: Issue[] = [];
  private readonly told = new Set<string>();

  /**
   * @param file the log as the user named it
   * @param matters whether a setting of that name is of any use: two lines may differ in all others
   */
  constructor(
    private readonly file: string,
    private readonly matters: (name: string) => boolean,
  ) {}

  /** Takes the next line. */
  read(line: string): void {
    this.number++;
    for (const kind of KINDS) {
      const at = line.indexOf(kind.start);
      if (at < 0) continue;
      const facts = kind.read(line.slice(at + kind.start.length));
      if (typeof facts === "string") this.refuse(`${this.file}:${this.number}: ${facts}`);
      else if (facts) this.take(kind, facts);
      return;
    }
  }

  /** What all lines said, by vLLM's names; problems are added to `issues`. */
  end(issues: Issue[]): Map<string, Fact> {
    const facts = new Map<string, Fact>();
    if (this.found.size === 0 && this.issues.length === 0)
      this.refuse(
        `${this.file}: no line of a vLLM server that starts (${KINDS.map(({ start }) => start.trim()).join("…; ")}…)`,
      );
    // What was asked for comes first, so that what is printed lies over it.
    for (const kind of KINDS) {
      const { facts: told, number } = this.found.get(kind) ?? NOTHING;
      for (const [name, value] of told) {
        const before = facts.get(name);
        if (before?.at && isInteger(before.value) && isInteger(value) && before.value !== value)
          this.differ(name, value, number, before.value, before.at.line);
        facts.set(name, { value, at: { file: this.file, line: number } });
      }
    }
    issues.push(...this.issues);
    return facts;
  }

  private take(kind: Kind, facts: ReadonlyMap<string, PythonValue>): void {
    const before = this.found.get(kind);
    if (!before) {
      this.found.set(kind, { facts, number: this.number });
      return;
    }
    for (const name of new Set([...before.facts.keys(), ...facts.keys()]))
      if (this.matters(name) && text(facts.get(name)) !== text(before.facts.get(name)))
        this.differ(name, facts.get(name), this.number, before.facts.get(name), before.number);
  }

  private differ(
    name: string,
    value: PythonValue | undefined,
    number: number,
    before: PythonValue | undefined,
    line: number,
  ): void {
    if (this.told.has(name)) return;
    this.told.add(name);
    const [now, then] = [value, before].map((one) => show(typeof one === "object" ? text(one) : one));
    this.refuse(
      `${this.file}:${number}: ${name} is ${now}, but ${then} in line ${line} (the log of one server)`,
    );
  }

  private refuse(message: string): void {
    this.issues.push({ key: "--vllm-log", message });
  }
}
