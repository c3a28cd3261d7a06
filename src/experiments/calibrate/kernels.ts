/**
 * Whole iterations from kernels that were measured one by one, in the format of LLMServingSim's profiler (Cho et al.,
 * IISWC 2024): `dense.csv` a call of a layer by tokens, `per_sequence.csv` output head and sampler by sequences,
 * `attention.csv` one layer's attention by chunk, tokens cached before it, decodes and their cached tokens.
 *
 * An iteration is the sum of its kernels, so it is a lower bound: no launches, no host. Decodes and prefill are taken
 * from the rows that measured them together: a mixed batch reads the cache more slowly than its two sides apart.
 */
import { Issues } from "../../core/issues.js";
import { KernelTable } from "../../core/service-times/kernel-table.js";
import type { InputFile } from "../interface/experiment.js";
import type { Range, Step } from "./steps.js";

/** The files, by their names, with the columns that each must have. */
export const KERNEL_FILES: Readonly<Record<string, readonly string[]>> = {
  "dense.csv": ["layer", "tokens", "time_us"],
  "per_sequence.csv": ["layer", "sequences", "time_us"],
  "attention.csv": ["prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "time_us"],
};

/** Calls of a layer's kernel in an iteration: these by name, all others once for each transformer layer. */
const calls = (kernel: string, layers: number): number =>
  kernel === "embedding" || kernel === "final_layernorm" ? 1 : kernel === "layernorm" ? 2 * layers : layers;

/**
 * What is fitted and judged of a kernel profile unless told otherwise: the iterations that chat and document traffic
 * make, with vLLM's token budget for serving, and no more cached tokens than a large GPU holds beside an 8B model: 128
 * sequences of 4096 tokens (96 GB hold 528,000).
 */
export const OPERATING_RANGE: Required<Range> = {
  leastKv: 256,
  mostKv: 4096,
  leastChunk: 64,
  mostTokens: 2048,
  mostSumKv: 524_288,
};

/** A measured curve. */
export interface Curve {
  readonly at: readonly number[];
  readonly ms: readonly number[];
}

/** One measured call of the attention kernel. */
export interface AttentionRow {
  readonly chunk: number;
  readonly cached: number;
  readonly decodes: number;
  readonly kv: number;
  /** All layers. */
  readonly ms: number;
}

export interface Kernels {
  /** Everything but attention and head, whole model, by tokens. */
  readonly dense: Curve;
  /** Output head and sampler, by sequences. */
  readonly head: Curve;
  readonly attention: readonly AttentionRow[];
}

const MICROSECONDS = 1000;

/** Reads the three files. @param layers transformer layers of the model */
export function readKernels(inputs: readonly InputFile[], layers: number): Kernels {
  const named = (name: string): InputFile => inputs.find(({ file }) => baseName(file) === name)!;
  const issues = new Issues("kernel files");
  const columns = ({ file, rows, lines }: InputFile, names: readonly string[]): number[][] =>
    rows.map((row, i) =>
      names.map((name) => {
        const cell = row[name];
        if (typeof cell === "number" && cell >= 0 && Number.isFinite(cell)) return cell;
        issues.add(() => ({
          key: file,
          message: `${file}:${lines[i]}: invalid ${name}: ${cell ?? "nothing"} (a number at least 0)`,
        }));
        return NaN;
      }),
    );
  const dense = named("dense.csv");
  const head = named("per_sequence.csv");
  const attention = named("attention.csv");
  const kernels = {
    dense: curve(dense, columns(dense, ["tokens", "time_us"]), (kernel) => calls(kernel, layers)),
    head: curve(head, columns(head, ["sequences", "time_us"]), () => 1),
    attention: columns(attention, [...KERNEL_FILES["attention.csv"]]).map(
      ([chunk, cached, decodes, kv, time]) => ({
        chunk,
        cached,
        decodes,
        kv: decodes > 0 ? kv : 0,
        ms: (time * layers) / MICROSECONDS,
      }),
    ),
  };
  for (const [{ file }, { at }] of [
    [dense, kernels.dense],
    [head, kernels.head],
  ] as const)
    if (at.length < 2 && issues.count === 0)
      issues.add(() => ({
        key: file,
        message: `${file}: too few rows: ${at.length} sizes with every kernel (at least 2)`,
      }));
  issues.refuse();
  return kernels;
}

/** The sum of all kernels at each size that has all of them, each as often as an iteration calls it. */
function curve(
  { rows }: InputFile,
  cells: readonly (readonly number[])[],
  times: (kernel: string) => number,
): Curve {
  const names = new Set(rows.map(({ layer }) => String(layer)));
  const sums = new Map<number, { ms: number; seen: Set<string> }>();
  cells.forEach(([size, time], i) => {
    const kernel = String(rows[i].layer);
    const sum = sums.get(size) ?? { ms: 0, seen: new Set() };
    sum.ms += (times(kernel) * time) / MICROSECONDS;
    sum.seen.add(kernel);
    sums.set(size, sum);
  });
  const whole = [...sums].filter(([, { seen }]) => seen.size === names.size).sort(([x], [y]) => x - y);
  return { at: whole.map(([size]) => size), ms: whole.map(([, { ms }]) => ms) };
}

/** The iterations whose attention was measured as a whole: those without context before the chunk. */
export function stepsOf({ dense, head, attention }: Kernels): Step[] {
  const denseMs = new KernelTable([dense.at], dense.ms);
  const headMs = new KernelTable([head.at], head.ms);
  return attention
    .filter(({ chunk, cached, decodes }) => cached === 0 && chunk + decodes > 0)
    .map(({ chunk, decodes, kv, ms }) => ({
      decodes,
      kvPerDecode: kv,
      prefillTokens: chunk,
      tokens: chunk + decodes,
      sumKv: decodes * kv,
      ms: denseMs.at(chunk + decodes) + headMs.at(decodes + (chunk > 0 ? 1 : 0)) + ms,
    }));
}

/** A file's name without its folders. */
export const baseName = (file: string): string => file.replace(/^.*[/\\]/, "");
