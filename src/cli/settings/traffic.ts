/**
 * Recorded traces on the command line: `--trace` replays a file, `--lengths-from` takes its lengths alone. Either
 * becomes layers of the study: the trace's length is a default of T, and its arrivals and lengths replace the
 * workload of scenario and `--config`; `--set` still changes what it names.
 */
import type { Layer } from "../../config/layer.js";
import { numberOrText } from "../../config/lists.js";
import { show } from "../../config/telling.js";
import { decimalLength } from "../../core/numbers/decimal.js";
import { ConfigError, type Issue } from "../../core/errors.js";
import { builtIn, member, type Registry } from "../../core/configuration/registry.js";
import type { Trace } from "../../core/workload/trace.js";
import { usualBlockSeconds } from "../../core/workload/trace-arrivals.js";
import { withTraces } from "../../core/configuration/trace-registry.js";
import type { TraceUse } from "../../experiments/interface/study.js";
import { FileError } from "../../io/files.js";
import { type Unit, UNITS } from "../../io/instants.js";
import { loadTrace, shownAs, TRACE_FORMATS, type TraceOptions } from "../../io/trace-reader.js";
import { camelCase, flagName } from "../../flags/options.js";
import type { Flags } from "../../flags/given-flags.js";
import { shellWord } from "../../core/foreign-words.js";
import type { Streams } from "../streams.js";

const replay = member(builtIn.arrivals, "trace").options;
const summaryOf = (key: string): string => replay.find((option) => option.key === key)!.summary;

/** The flags, as commander reads them, with their summaries. */
export const TRAFFIC_FLAGS: readonly (readonly [flag: string, summary: string])[] = [
  ["--trace <file>", "replay a recorded trace: its arrivals and lengths"],
  ["--lengths-from <file>", "draw prompt and output lengths together from a recorded trace"],
  ["--trace-format <name>", `${TRACE_FORMATS.map(({ name }) => name).join(", ")} (default: by its columns)`],
  ["--trace-unit <unit>", `unit of its instants: ${UNITS.join(", ")} (default: the format's)`],
  ["--trace-run <n>", "which run of a file that holds several, from 1"],
  ["--sort", "put its rows into the order of their instants"],
  ["--from <time>", "only requests from that time of the trace on: 90, 90s, 5m, 1h"],
  ["--to <time>", "only requests before that time of the trace"],
  ["--limit <n>", "only the first requests of them"],
  ["--clip-prompt <n>", "cut longer prompts to this many tokens"],
  ["--speedup <x>", summaryOf("speedup")],
  ["--trace-block <s>", `${summaryOf("blockSeconds")} (default: a tenth of it, at most 60s)`],
];

/** What the traffic flags make of a study. */
export interface Traffic {
  readonly traces: readonly Trace[];
  readonly registry: Registry;
  readonly trace?: TraceUse;
  /** Over the scenario, below the configuration file. */
  readonly below: readonly Layer[];
  /** Over the configuration file, below `--set`. */
  readonly over: readonly Layer[];
  /** The flags again, for commands to try next. */
  readonly again: string;
}

/** Flags of arrivals that a recorded trace has no use for, and what to do instead. */
const REPLACED: readonly (readonly [flag: string, instead: string])[] = [
  ["--lam", "use --speedup: 2 plays the trace twice as fast"],
  ["--arrivals", "use --lengths-from to take its lengths alone"],
  ["--cv", "use --lengths-from to take its lengths alone"],
  ["--clients", "use --lengths-from to take its lengths alone"],
  ["--think", "use --lengths-from to take its lengths alone"],
];

/** The flags without those that contradict a trace: they have been refused, and would be told again. */
export function besideTrace(flags: Flags): Flags {
  if (flags.trace === undefined) return flags;
  const refused = REPLACED.map(([flag]) => camelCase(flag));
  return Object.fromEntries(Object.entries(flags).filter(([name]) => !refused.includes(name)));
}

/** Flags without a value. */
const SWITCHES: readonly string[] = TRAFFIC_FLAGS.map(([flag]) => flag).filter((flag) => !flag.includes(" "));
/** 104 days: the clock counts no further. */
const LAST_SECOND = 9_000_000;

const NONE: Traffic = { traces: [], registry: builtIn, below: [], over: [], again: "" };
const SECONDS_OF: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, min: 60, h: 3600 };
/** T is rounded up to this many parts of a second, so that the last arrival is inside. */
const PARTS = 1000;

/** `60s`, `5m`, `1h` or plain seconds; text that is none is given back, to be refused where it is used. */
function secondsOf(text: string): number | string {
  const written = text.trim();
  const length = decimalLength(written);
  const unit = written.slice(length).trimStart();
  const value = numberOrText(written.slice(0, length));
  return typeof value === "number" && Object.hasOwn(SECONDS_OF, unit) ? value * SECONDS_OF[unit] : text;
}

/** Reads the trace that the flags name; problems are added to `issues`. */
export async function trafficFrom(
  flags: Flags,
  streams: Pick<Streams, "cwd" | "fs" | "stdin">,
  issues: Issue[],
): Promise<Traffic> {
  const text = (flag: string): string | undefined => flags[camelCase(flag)] as string | undefined;
  const problem = (key: string, message: string): void => void issues.push({ key, message });
  const [trace, lengths] = [text("--trace"), text("--lengths-from")];
  for (const [flag] of TRAFFIC_FLAGS.slice(2)) {
    const name = flagName(flag);
    const forReplay = name === "--speedup" || name === "--trace-block";
    if (text(name) === undefined || (trace ?? (forReplay ? undefined : lengths)) !== undefined) continue;
    problem(
      name,
      `${name} needs ${forReplay ? "--trace" : "--trace or --lengths-from"} (a file of requests)`,
    );
  }
  if (trace === undefined && lengths === undefined) return NONE;
  if (trace !== undefined && lengths !== undefined)
    problem(
      "--lengths-from",
      "--lengths-from contradicts --trace (a trace brings its lengths; give one of them)",
    );
  if (trace !== undefined)
    for (const [name, instead] of REPLACED)
      if (text(name) !== undefined) problem(name, `${name} contradicts --trace (${instead})`);
  const [flag, file] = trace === undefined ? ["--lengths-from", lengths!] : ["--trace", trace];
  const options = optionsFrom(text, trace === undefined ? "lengths" : "replay", problem);
  if (file === "") {
    problem(flag, `invalid ${flag}: empty (a file of requests)`);
    return NONE;
  }
  try {
    const { trace: data, ...facts } = await loadTrace(streams, file, options);
    const use: TraceUse = { file: shownAs(file), key: data.key, use: options.use, ...facts };
    const speedup = text("--speedup") === undefined ? undefined : numberOrText(text("--speedup")!);
    const given = text("--trace-block") ?? "none";
    const block = given === "none" ? usualBlockSeconds(use.seconds) : secondsOf(given);
    return {
      traces: [data],
      registry: withTraces([data]),
      trace: use,
      ...layersOf(use, flag, speedup, block),
      again: TRAFFIC_FLAGS.map(([one]) => flagName(one))
        .filter((name) => text(name) !== undefined)
        .map((name) => (SWITCHES.includes(name) ? name : `${name} ${shellWord(text(name)!)}`))
        .join(" "),
    };
  } catch (error) {
    if (error instanceof FileError) problem(flag, `${flag}: ${error.message}`);
    else if (error instanceof ConfigError) issues.push(...error.issues);
    else throw error;
    return NONE;
  }
}

/** What of the file is read; what cannot be is told. */
function optionsFrom(
  text: (flag: string) => string | undefined,
  use: TraceOptions["use"],
  problem: (key: string, message: string) => void,
): TraceOptions {
  const given = <T>(name: string, read: (text: string) => T | undefined, allowed: string): T | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const found = read(value);
    if (found === undefined) problem(name, `invalid ${name}: ${show(value)} (${allowed})`);
    return found;
  };
  const count = (name: string): number | undefined =>
    given(
      name,
      (value) => {
        const number = numberOrText(value);
        return typeof number === "number" && Number.isSafeInteger(number) && number >= 1 ? number : undefined;
      },
      "an integer at least 1",
    );
  const time = (name: string): number | undefined =>
    given(
      name,
      (value) => {
        const seconds = secondsOf(value);
        return typeof seconds === "number" && seconds >= 0 && seconds <= LAST_SECOND ? seconds : undefined;
      },
      `a time of the trace, at least 0 and at most ${LAST_SECOND} s: 90, 90s, 5m, 1h`,
    );
  const options: TraceOptions = {
    use,
    format: text("--trace-format"),
    unit: given(
      "--trace-unit",
      (value) => UNITS.find((unit): unit is Unit => unit === value),
      `one of: ${UNITS.join(", ")}`,
    ),
    run: count("--trace-run"),
    sort: text("--sort") !== undefined,
    from: time("--from"),
    to: time("--to"),
    limit: count("--limit"),
    clipPrompt: count("--clip-prompt"),
  };
  const { from = 0, to = Infinity } = options;
  if (to > from) return options;
  problem("--to", `invalid --to: ${text("--to")} (after --from, ${text("--from") ?? "0"})`);
  return { ...options, to: undefined };
}

function layersOf(
  { key: data, use, seconds, file }: TraceUse,
  flag: string,
  speedup: number | string | undefined,
  block: number | string,
): Pick<Traffic, "below" | "over"> {
  const promptTokens = { kind: "trace", data, column: "prompt" };
  const outputTokens = { kind: "trace", data, column: "output" };
  const names: Readonly<Record<string, string>> = {
    "workload.arrivals.speedup": "--speedup",
    "workload.arrivals.blockSeconds": "--trace-block",
  };
  const origin = (key: string): string => names[key] ?? flag;
  if (use === "lengths")
    return {
      below: [],
      over: [{ source: flag, values: { workload: { promptTokens, outputTokens } }, origin }],
    };
  const arrivals = { kind: "trace", data, speedup, blockSeconds: block };
  const faster = typeof speedup === "number" && speedup > 0 ? speedup : 1;
  // What arrives at one instant needs some T, and any will do.
  const tmaxSeconds = Math.max(1, Math.ceil((seconds / faster) * PARTS)) / PARTS;
  return {
    below: [{ source: `trace ${file}`, values: { horizon: { tmaxSeconds } } }],
    over: [{ source: flag, values: { workload: { arrivals, promptTokens, outputTokens } }, origin }],
  };
}
