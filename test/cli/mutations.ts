/**
 * What the fuzzer is fed: command lines of every command with every flag, configuration, trace and other files, made
 * from the suite's seed. Most are nearly right, because what is quite wrong is refused at once and reaches nothing.
 */
import { Command } from "commander";
import { describe } from "../../src/cli/command.js";
import { describeMerge } from "../../src/cli/merge.js";
import { stream } from "../../src/core/numbers/random.js";
import { EXPERIMENTS } from "../../src/experiments/index.js";
import { SEED } from "../seed.js";

export interface FuzzCase {
  readonly argv: readonly string[];
  /** Files of the current folder, by name. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
}

interface Dice {
  /** Whether something of this probability happens. */
  chance(probability: number): boolean;
  /** From 0 to below `count`. */
  below(count: number): number;
  pick<T>(from: readonly T[]): T;
}

function diceOf(number: number): Dice {
  const random = stream(SEED, number, "fuzz");
  const below = (count: number): number => Math.floor(random.uniform() * count);
  return { below, chance: (p) => random.uniform() < p, pick: (from) => from[below(from.length)]! };
}

/** Flags of every command, as commander knows them. */
export interface Flagged {
  readonly name: string;
  readonly flags: readonly { readonly name: string; readonly takes: boolean }[];
}

export async function commands(): Promise<Flagged[]> {
  const flagged = (name: string, give: (command: Command) => void): Flagged => {
    const command = new Command(name);
    give(command);
    return { name, flags: command.options.map(({ long, required }) => ({ name: long!, takes: required })) };
  };
  const loaded = await Promise.all(EXPERIMENTS.map((listed) => listed.load()));
  return [
    ...loaded.map((experiment) => flagged(experiment.name, (command) => describe(command, experiment))),
    flagged("merge", describeMerge),
  ];
}

const LONG = "x".repeat(20_000);
const DEEP = "[".repeat(10_000);
const NUMBERS = ["0", "1", "2", "3", "0.5", "-1", "-0", "1e-9", "1.5", "7", "16", "64", "100"];
/** What could exhaust the machine, is no number, or is not what it seems. */
const NASTY = [
  ...["1e12", "1e308", "-1e308", "1e999", "9007199254740993", "4294967296", "2147483648", "NaN", "Infinity"],
  ...[
    "-Infinity",
    "0x10",
    "1_000",
    "1,5",
    "١",
    "",
    " ",
    "\t",
    "\n",
    "a\nb",
    "\u0000",
    "\uFEFF1",
    "é",
    "\uD800",
    "𝟚",
  ],
  ...[
    "none",
    "null",
    "true",
    "__proto__",
    "constructor",
    "../../etc/passwd",
    "/dev/null/x",
    "%s",
    "$(id)",
    "-",
    "--",
  ],
  ...[
    LONG,
    DEEP,
    "1:1e9:1",
    "1:2:1e-9",
    "1,2,...,1e300",
    "8,16,...,512",
    "1:1e308:x1.0000001",
    "0.1:0.9:0.1",
    "1,,2",
  ],
];
const FILES = [
  "c.yaml",
  "c.json",
  "s.yaml",
  "s.json",
  "t.csv",
  "t.jsonl",
  "h.json",
  "v.log",
  "own.mjs",
  "nope.yaml",
  ".",
  "data",
];
/** Values that are right for some flag. */
const RIGHT: Readonly<Record<string, readonly string[]>> = {
  "--lam": ["0.5", "2", "20"],
  "--arrivals": ["poisson", "gamma", "weibull", "on-off", "deterministic", "closed"],
  "--cv": ["0.5", "3"],
  "--clients": ["1", "5"],
  "--think": ["0", "0.5"],
  "--n-queries": ["1", "5"],
  "--warmup": ["0", "0.5"],
  "--max-tokens": ["1", "64", "512", "2147483647"],
  "--max-sequences": ["1", "8", "2147483647"],
  "--num-gpus": ["1", "3", "64"],
  "--chunk-size": ["1", "64", "none"],
  "--kv-tokens": ["64", "4096", "none", "2147483647"],
  "--overhead-ms": ["0", "3"],
  "--router": ["central", "round-robin", "random", "least-outstanding", "least-tokens", "power-of-two"],
  "--discipline": ["fcfs", "sjf", "priority"],
  "--prediction-noise": ["0", "1"],
  "--classes": ["0.5,0.5", "1"],
  "--c-ms": ["0", "1", "10", "1000000"],
  "--a-ms": ["0", "1"],
  "--b0": ["0", "64"],
  "--ratio": ["0.1", "0.5"],
  "--ratio-of": ["sequences", "tokens"],
  "--conventions": ["standard", "reference"],
  "--scenario": ["demo1", "demo2", "demo3", "both", "s.yaml", "s.json"],
  "--hardware": ["h100_llama-3.1-8b", "rtxpro6000_llama-3.1-8b", "h.json"],
  "--vllm-log": ["v.log"],
  "--vllm-args": [
    "vllm serve m",
    "--max-num-seqs 8 --max_num_batched_tokens=1k --port 1",
    "--block-size 32 --num-gpu-blocks-override 99 --no-enable-prefix-caching --no-async-scheduling",
    "--no-enable-chunked-prefill --max-num-batched-tokens 64 --watermark .5",
    "-tp 1 -dp 2 --scheduling-policy fcfs --enable-chunked-prefill=x",
    "--speculative-config '{' -pp 2",
    `--${"x".repeat(2000)}=1 --enable-prefix-caching=${"y".repeat(20_000)}`,
  ],
  "--scheduler": ["decode", "hybrid", "vllm", "sarathi", "orca", "prefill,hybrid", "own"],
  "--slo": ["ttft<1", "ttft<1,tbt<0.1", "ttft_p99<2", "rts<0"],
  "--assert": ["rts_p95_s<9", "ttft_mean_s>=0", "throughput_qps<1e-9"],
  "--set": [
    "engine.maxTokens=64",
    "service.cMs=3",
    "conventions.tbt=tokens",
    "workload.promptTokens.kind=fixed",
  ],
  "--vary": ["lam=1,2", "engine.chunkSize=none,16", "scheduler=decode,hybrid", "scenario=demo1,demo2"],
  "--with": ["lam=3", "chunk-size=64,lam=1", "demo3", "c.yaml"],
  "--config": ["c.yaml", "c.json"],
  "--trace": ["t.csv", "t.jsonl"],
  "--lengths-from": ["t.csv", "t.jsonl"],
  "--trace-format": ["azure", "mooncake", "burstgpt", "llmsim"],
  "--trace-unit": ["s", "ms", "us", "ns"],
  "--trace-run": ["1", "2"],
  "--from": ["0", "1s"],
  "--to": ["1s", "5m"],
  "--limit": ["1", "3"],
  "--clip-prompt": ["1", "50"],
  "--speedup": ["1", "2"],
  "--trace-block": ["1s", "1m", "0.5"],
  "--plugin": ["own.mjs"],
  "--precision": ["0.5"],
  "--max-trials": ["10", "12"],
  "--windows": ["1", "3"],
  "--npoints": ["1", "3"],
  "--ratios": ["0.5", "0.2,0.8"],
  "--sizes": ["1,16", "64"],
  "--requests": ["r.csv", "new/r.csv"],
  "--timeline": ["t.json", "new/t.json"],
  "--timeline-limit": ["1", "100", "1e9"],
  "--iterations": ["2", "5"],
  "--shard": ["1/1", "2/3", "3/2"],
  "--seed": ["1", "7", "9007199254740991"],
  "--baseline": ["c.json", "t.csv"],
  "--metric": ["rts_mean_s", "throughput_qps"],
};

/** What these do takes long whatever it is given, or does not end: another flag of theirs is always wrong. */
const LENGTHY = ["demo", "validate", "stability", "plan", "reproduce"];
/** These say what of a trace is read: without one they are always wrong. */
const OF_TRACES = ["--trace-format", "--trace-unit", "--trace-run", "--sort", "--from", "--to", "--limit"];
const OF_REPLAYS = ["--speedup", "--trace-block"];
/** Shows things to people. */
const SHOWING = ["--open", "--serve"];

function valueOf(flag: string, dice: Dice): string {
  const right = RIGHT[flag];
  if (right && dice.chance(0.88)) return dice.pick(right);
  return dice.pick(dice.chance(0.3) ? FILES : dice.chance(0.5) ? NUMBERS : NASTY);
}

function argvOf({ name, flags }: Flagged, dice: Dice): string[] {
  // Two ratios instead of 99; what is given after them holds.
  const argv = name === "hybrid" ? ["--ratios", "0.2,0.8"] : [];
  for (let i = dice.below(6); i > 0; i--) {
    const flag = dice.pick(flags);
    if (SHOWING.includes(flag.name)) continue;
    const hasTrace = argv.includes("--trace") || argv.includes("--lengths-from");
    if (OF_TRACES.includes(flag.name) && !hasTrace && dice.chance(0.9)) argv.push("--lengths-from", "t.csv");
    if (OF_REPLAYS.includes(flag.name) && !hasTrace && dice.chance(0.9)) argv.push("--trace", "t.csv");
    if (!flag.takes) argv.push(flag.name);
    else if (dice.chance(0.1)) argv.push(`${flag.name}=${valueOf(flag.name, dice)}`);
    else argv.push(flag.name, ...(dice.chance(0.99) ? [valueOf(flag.name, dice)] : []));
  }
  if (["merge", "calibrate"].includes(name) || dice.chance(0.02))
    for (let i = dice.below(3); i >= 0; i--) argv.push(dice.pick(FILES));
  if (dice.chance(0.03)) argv.push(dice.pick(NASTY));
  if (dice.chance(0.02)) argv.push(dice.pick(["--lamm", "--no", "--sead=3", "-x", "--help"]));
  // The work stays small: what is given last holds.
  const has = (flag: string): boolean => flags.some((one) => one.name === flag);
  if (has("--tmax")) argv.push("--tmax", dice.chance(0.05) ? dice.pick(["1e12", "-1", "NaN"]) : "2");
  if (has("--ntrials")) argv.push("--ntrials", dice.chance(0.05) ? dice.pick(["1e12", "0", "1.5"]) : "2");
  if (has("--windows")) argv.push("--windows", dice.chance(0.05) ? "1e9" : "2");
  if (has("--npoints")) argv.push("--npoints", dice.chance(0.05) ? "1e9" : "2");
  // Where its limits never bind, it works out where they would: a second of theory.
  if (name === "hybrid" && dice.chance(0.9)) argv.push("--max-sequences", "2", "--lam", "50");
  if (has("--precision") && argv.includes("--precision")) argv.push("--max-trials", "11");
  if (name !== "merge") argv.push("--workers", LENGTHY.includes(name) ? "none" : "0", "--quiet");
  return [name, ...argv];
}

const CONFIG = {
  scenario: "demo2",
  schedulers: ["hybrid", { kind: "sarathi" }],
  seed: 3,
  engine: { maxTokens: 256, maxSequences: 16, chunkSize: 32, replicas: 2, router: { kind: "random" } },
  conventions: { tbt: "gaps" },
};
const SCENARIO = {
  name: "own",
  summary: "of one's own",
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 3 },
    promptTokens: { kind: "mixture", values: [16, 64], weights: [0.5, 0.5] },
    outputTokens: { kind: "uniform", min: 1, max: 20 },
  },
  service: { kind: "affine", cMs: 5, aMs: 0.1, b0: 16 },
};
const HARDWARE = { name: "own", service: { kind: "gpu", weightsMs: 5 }, engine: { maxTokens: 64 } };
const LEAVES: readonly unknown[] = [
  ...[0, -1, 1e308, -0, 1e12, 0.1, true, null, "", "x", LONG, [], {}, [[]], { kind: "x" }, [1, "2", null]],
  ...["fixed", "geometric", "lognormal", "bounded-pareto", "empirical", "pairs", "trace", "closed", "gamma"],
];

/** The value with something in it replaced, left out or added. */
function changed(value: unknown, dice: Dice): unknown {
  if (typeof value !== "object" || value === null || dice.chance(0.1)) return dice.pick(LEAVES);
  if (Array.isArray(value)) {
    const copy: unknown[] = [...(value as unknown[])];
    const at = dice.below(copy.length + 1);
    if (dice.chance(0.2)) copy.splice(at, 1);
    else copy[at] = changed(copy[at], dice);
    return copy;
  }
  const entries = Object.entries(value);
  const at = dice.below(entries.length + 1);
  const key =
    entries[at]?.[0] ?? dice.pick(["__proto__", "constructor", "engin", "kind", "", "toString", LONG]);
  if (dice.chance(0.15)) entries.splice(at, 1);
  else entries[at] = [key, changed(entries[at]?.[1], dice)];
  // As JSON has it: `__proto__` is a key like any other.
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, one] of entries) copy[name] = one;
  return copy;
}

const INSERTS = [
  "\u0000",
  "\uFEFF",
  "\r\n",
  "\t",
  "&a *a ",
  "!!js/function ",
  "<<: ",
  "---\n",
  "{",
  "]",
  '"',
  ",",
  "#",
  DEEP,
  LONG,
  "1e999",
  "NaN",
  ".inf",
  "-0",
];

/** The text with something cut, doubled, put in or flipped. */
function garbled(text: string, dice: Dice): string | Uint8Array {
  const at = dice.below(text.length + 1);
  const to = Math.min(text.length, at + dice.below(40));
  switch (dice.below(6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, to) + text.slice(at);
    case 2:
      return text.slice(0, at) + dice.pick(INSERTS) + text.slice(at);
    case 3:
      return text.replaceAll("\n", "\r\n");
    case 4: {
      const bytes = new TextEncoder().encode(text);
      if (bytes.length > 0) bytes[dice.below(bytes.length)]! ^= 1 << dice.below(8);
      return bytes;
    }
    default:
      return text.slice(0, at) + text.slice(to);
  }
}

function traceOf(dice: Dice, isJson: boolean): string {
  const [columns, instant] = dice.pick([
    [["arrival_s", "prompt_tokens", "output_tokens"], 0],
    [["TIMESTAMP", "ContextTokens", "GeneratedTokens"], 1],
    [["Timestamp", "Request tokens", "Response tokens"], 0],
    [["timestamp", "input_length", "output_length"], 0],
  ] as const);
  const rows = Array.from({ length: dice.below(6) }, (_, i) => {
    const seconds = dice.chance(0.1) ? dice.below(9) : i;
    const at = instant === 1 ? `2023-11-16 18:15:4${seconds}.6805900` : seconds;
    const cells: (string | number)[] = [at, dice.chance(0.05) ? 0 : 1 + dice.below(200), dice.below(100)];
    if (dice.chance(0.1)) cells[dice.below(3)] = dice.pick(NASTY);
    return cells;
  });
  return isJson
    ? rows
        .map((cells) => `${JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, cells[i]])))}\n`)
        .join("")
    : [columns, ...rows].map((cells) => `${cells.join(",")}\n`).join("");
}

const LOG = [
  "non-default args: {'model_tag': 'm', 'max_num_seqs': 8, 'block_size': 16, 'x': [1, (2.5, {'y': None})]}",
  "(APIServer pid=1) INFO Chunked prefill is enabled with max_num_batched_tokens=512.",
  "Asynchronous scheduling is enabled.",
  "INFO Initializing a V1 LLM engine (v0.19.0) with config: model='m', speculative_config=None, enable_prefix_caching=True",
  "GPU KV cache size: 4,096 tokens",
  "",
].join("\n");

const PLUGIN = `export default { name: "own", create: () => ({ compose(view, batch) {
  batch.decode(view.decodable); if (view.partial.exists) batch.chunk("partial", 8); else if (view.waiting.exists) batch.chunk("waiting", 8);
} }) };\n`;

/** The case of that number. */
export function fuzzCase(number: number, all: readonly Flagged[]): FuzzCase {
  const dice = diceOf(number);
  const argv = argvOf(dice.pick(all), dice);
  const made = (value: unknown, isYaml: boolean): string | Uint8Array => {
    let now = value;
    while (dice.chance(0.4)) now = changed(now, dice);
    const text = JSON.stringify(now, null, isYaml ? 0 : 1);
    return dice.chance(0.2) ? garbled(text, dice) : text;
  };
  const trace = (isJson: boolean): string | Uint8Array => {
    const text = traceOf(dice, isJson);
    return dice.chance(0.3) ? garbled(text, dice) : text;
  };
  const make: Readonly<Record<string, () => string | Uint8Array>> = {
    "c.yaml": () => made(CONFIG, true),
    "c.json": () => made(CONFIG, false),
    "s.yaml": () => made(SCENARIO, true),
    "s.json": () => made(SCENARIO, false),
    "h.json": () => made(HARDWARE, false),
    "t.csv": () => trace(false),
    "t.jsonl": () => trace(true),
    "v.log": () => (dice.chance(0.6) ? garbled(LOG, dice) : LOG),
    "own.mjs": () => PLUGIN,
  };
  const named = Object.keys(make).filter((name) => argv.some((word) => word.includes(name)));
  return { argv, files: Object.fromEntries(named.map((name) => [name, make[name]!()])) };
}
