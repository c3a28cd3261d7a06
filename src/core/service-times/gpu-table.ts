/**
 * A measured GPU as its kernels were measured: the parts of an iteration (weights, output head, attention) in tables,
 * added up (model §1). The largest chunk is looked up together with the decodes, because a mixed batch is slower than
 * its two sides; further chunks add their own time less one launch; a chunk of one token is a decode to the kernel.
 * After LLMServingSim (Cho et al., IISWC 2024), which composes iterations from profiled layers in the same way.
 */
import { numberOf, numbersOf, type OptionSpec, type Spec } from "../options/definition.js";
import { axisProblem, KernelTable } from "./kernel-table.js";
import type { BatchShape, ServiceTimeDefinition, ServiceTimeModel } from "./service-time-model.js";
import { fromMilliseconds, asDuration, type Duration } from "../numbers/units.js";

const axis = (key: string, unit: string, summary: string): OptionSpec => ({
  key,
  kind: "numbers",
  min: 0,
  max: 2_147_483_647,
  unit,
  summary,
});
const times = (key: string, summary: string): OptionSpec => ({
  key,
  kind: "numbers",
  min: 0,
  max: 1e6,
  unit: "ms",
  summary,
});

/** Each table with its axes, the last varying fastest. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  denseMs: ["tokens"],
  headMs: ["sequences"],
  decodeMs: ["decodes", "decodeKv"],
  prefillMs: ["chunks", "chunkKv"],
  mixedMs: ["chunks", "chunkKv", "mixedDecodes", "decodeKv"],
};

const OPTIONS: readonly OptionSpec[] = [
  {
    key: "hMs",
    kind: "number",
    min: 0,
    max: 1e6,
    default: 0,
    unit: "ms",
    summary: "host overhead of an iteration, h",
  },
  axis("tokens", "tokens", "batch sizes of denseMs"),
  times("denseMs", "everything but attention and head, whole model"),
  axis("sequences", "", "sequence counts of headMs"),
  times("headMs", "output head and sampler"),
  axis("decodes", "", "decoding sequences of decodeMs"),
  axis("decodeKv", "tokens", "cached tokens of each decoding sequence, of decodeMs and mixedMs"),
  times("decodeMs", "attention of decodes alone, whole model, by decodes, then decodeKv"),
  axis("chunks", "tokens", "chunk sizes of prefillMs and mixedMs"),
  axis("chunkKv", "tokens", "tokens cached before the chunk, of prefillMs and mixedMs"),
  times("prefillMs", "attention of one chunk alone, by chunks, then chunkKv"),
  axis("mixedDecodes", "", "decoding sequences beside a chunk, of mixedMs"),
  times("mixedMs", "attention of a chunk with decodes, by chunks, chunkKv, mixedDecodes, decodeKv"),
  {
    key: "launchMs",
    kind: "number",
    min: 0,
    max: 1e6,
    default: 0,
    unit: "ms",
    summary: "the part of attention that a second chunk does not pay again",
  },
  {
    key: "f",
    kind: "number",
    min: 1,
    max: 100,
    default: 1,
    summary: "factor on the cached tokens: sequences of a batch have unequal contexts",
  },
];

function check(spec: Spec): string[] {
  const problems: string[] = [];
  for (const key of new Set(Object.values(TABLES).flat())) {
    const problem = axisProblem(numbersOf(spec, key));
    if (problem) problems.push(`${key}: ${numbersOf(spec, key).length} values (${problem})`);
  }
  for (const [key, axes] of Object.entries(TABLES)) {
    const cells = axes.reduce((count, name) => count * numbersOf(spec, name).length, 1);
    const found = numbersOf(spec, key).length;
    if (found !== cells)
      problems.push(`${key}: ${found} values (${cells}, one for each of ${axes.join(" × ")})`);
  }
  if (problems.length === 0 && !numbersOf(spec, "denseMs").every((ms) => ms > 0))
    problems.push("denseMs: 0 (above 0, or an iteration would take no time)");
  return problems;
}

class GpuTable implements ServiceTimeModel {
  readonly random = false;
  readonly growsWithKv = true;
  private readonly host: number;
  private readonly launch: number;
  private readonly f: number;
  private readonly dense: KernelTable;
  private readonly head: KernelTable;
  private readonly decode: KernelTable;
  private readonly prefill: KernelTable;
  private readonly mixed: KernelTable;

  constructor(spec: Spec) {
    const table = (key: string): KernelTable =>
      new KernelTable(
        TABLES[key].map((name) => numbersOf(spec, name)),
        numbersOf(spec, key),
      );
    this.host = numberOf(spec, "hMs");
    this.launch = numberOf(spec, "launchMs");
    this.f = numberOf(spec, "f");
    this.dense = table("denseMs");
    this.head = table("headMs");
    this.decode = table("decodeMs");
    this.prefill = table("prefillMs");
    this.mixed = table("mixedMs");
  }

  price(shape: BatchShape): Duration {
    const { decodes, prefillTokens, chunkCount } = shape;
    const ms =
      this.host +
      Math.max(0, this.dense.at(decodes + prefillTokens)) +
      Math.max(0, this.head.at(decodes + chunkCount)) +
      this.attention(shape);
    // Below its first point a table is extrapolated and may say nothing; the clock must go on.
    return asDuration(Math.max(1, fromMilliseconds(ms)));
  }

  private attention({ decodes, sumKv, chunkCount, chunkTokens, chunkCached }: BatchShape): number {
    let single = decodes;
    let cached = sumKv;
    let largest = -1;
    for (let i = 0; i < chunkCount; i++)
      if (chunkTokens[i] === 1) {
        single++;
        cached += chunkCached[i];
      } else if (largest < 0 || chunkTokens[i] > chunkTokens[largest]) largest = i;
    const kv = single > 0 ? (this.f * cached) / single : 0;
    if (largest < 0) return single > 0 ? Math.max(0, this.decode.at(single, kv)) : 0;
    const [tokens, before] = [chunkTokens[largest], chunkCached[largest]];
    let ms = single > 0 ? this.mixed.at(tokens, before, single, kv) : this.prefill.at(tokens, before);
    for (let i = 0; i < chunkCount; i++)
      if (i !== largest && chunkTokens[i] > 1)
        ms += Math.max(0, this.prefill.at(chunkTokens[i], chunkCached[i]) - this.launch);
    return Math.max(0, ms);
  }
}

export const gpuTable: ServiceTimeDefinition = {
  name: "gpu-table",
  summary: "measured kernels, interpolated: weights, output head and attention by batch shape",
  source: "Cho et al., LLMServingSim, IISWC 2024; rules in docs/hardware.md",
  options: OPTIONS,
  examples: [
    {
      kind: "gpu-table",
      hMs: 0.5,
      tokens: [1, 256, 2048],
      denseMs: [10, 14, 80],
      sequences: [1, 256],
      headMs: [0.7, 0.8],
      decodes: [1, 256],
      decodeKv: [16, 4096],
      decodeMs: [0.2532, 0.6612, 1.0692, 105.5172],
      chunks: [16, 2048],
      chunkKv: [0, 4096],
      prefillMs: [0.41, 6.9636, 20.73, 859.5908],
      mixedDecodes: [1, 128],
      mixedMs: [
        0.4132, 0.8212, 0.8196, 53.0436, 6.9668, 7.3748, 7.3732, 59.5972, 20.7332, 21.1412, 21.1396, 73.3636,
        859.594, 860.002, 860.0004, 912.2244,
      ],
      launchMs: 0.25,
    },
  ],
  check,
  create: (spec) => new GpuTable(spec),
};
