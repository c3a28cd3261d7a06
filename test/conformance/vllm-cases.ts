/**
 * What vLLM's own scheduler classes decided in given cases, as data: the cases of this project (`cases/`, numbers of
 * vllm-project/vllm, Apache-2.0, whose commits stand in each file; requests in columns, as that is shorter) and, where
 * LLMSIM_VLLM_CASES names a folder of more, those (requests in rows or columns).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface VllmCase {
  readonly name: string;
  readonly about: string;
  readonly settings: {
    readonly max_num_batched_tokens: number;
    readonly max_num_seqs: number;
    /** 0: none. */
    readonly long_prefill_token_threshold: number;
    readonly enable_chunked_prefill: boolean;
    readonly enable_prefix_caching: boolean;
    readonly scheduler_reserve_full_isl: boolean;
    readonly policy: "fcfs" | "priority";
    readonly async_scheduling: boolean;
    /** The null block among them. */
    readonly num_gpu_blocks: number;
    readonly block_size: number;
    readonly kv_never_full: boolean;
  };
  /** c + a·max(0, b − b0). */
  readonly iteration_time: { readonly c_ns: number; readonly a_ns: number; readonly b0: number };
  readonly requests: readonly {
    readonly arrival_ns: number;
    readonly prompt_tokens: number;
    readonly output_tokens: number;
    readonly priority?: number;
    readonly shared_prefix?: object | null;
  }[];
  readonly results: readonly VllmResult[];
  /** Versions that gave the first result, too. */
  readonly identical_in: readonly { readonly version: string }[];
}

export interface VllmResult {
  readonly version: string;
  readonly requests: readonly VllmRequest[];
  /** Left out of a case of many. */
  readonly iterations?: Iterations;
  readonly empty_compositions_with_preemptions?: readonly {
    readonly composed_ns: number;
    readonly preempted: number;
  }[];
}

export interface VllmRequest {
  /** Compositions that admitted it: first, and after each preemption. */
  readonly scheduled_ns: readonly number[];
  readonly prefix_hit_tokens: readonly number[];
  readonly preempted_ns: readonly number[];
  readonly first_token_ns: number | null;
  readonly finished_ns: number;
}

/** Columns, a place an iteration. */
export interface Iterations {
  readonly composed_ns: readonly number[];
  readonly start_ns: readonly number[];
  readonly end_ns: readonly number[];
  readonly decode_tokens: readonly number[];
  readonly prefill_tokens: readonly number[];
  readonly admitted: readonly number[];
  readonly preempted: readonly number[];
  /** Prefill tokens by request. */
  readonly prompts?: readonly Readonly<Record<string, number>>[];
}

/** A case under one version, with what must come out. */
export interface Expectation {
  readonly title: string;
  readonly given: VllmCase;
  readonly version: "0.19" | "2026-08";
  readonly result: VllmResult;
}

/** Our `scheduler.version` of a version's name there. */
const versionOf = (name: string): Expectation["version"] =>
  name === "0.19.0" || name === "main 2026-05-19" ? "0.19" : "2026-08";

/** Why a case cannot be simulated yet; undefined where it can. */
export function omitted({ requests, settings }: VllmCase): string | undefined {
  const isShared = requests.some(({ shared_prefix }) => (shared_prefix ?? null) !== null);
  return isShared && !settings.kv_never_full
    ? "needs blocks shared by content, which are not simulated"
    : undefined;
}

function read(folder: string): VllmCase[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.map((name) => {
    const given = JSON.parse(readFileSync(join(folder, name), "utf8")) as VllmCase;
    const results = given.results.map((result) => ({ ...result, requests: rowsOf(result.requests) }));
    return { ...given, requests: rowsOf(given.requests), results };
  });
}

/** Rows, of which a file may hold the columns. */
function rowsOf<Row extends object>(given: readonly Row[] | { [K in keyof Row]: Row[K][] }): readonly Row[] {
  if (Array.isArray(given)) return given as readonly Row[];
  const columns = Object.entries(given as Record<string, unknown[]>);
  // An optional value that a row lacks is null in its column.
  const row = (i: number): Row =>
    Object.fromEntries(columns.map(([key, values]) => [key, values[i]])) as unknown as Row;
  return columns[0]![1].map((_, i) => row(i));
}

/** Where more cases are, if anywhere. */
export const FURTHER_CASES = process.env.LLMSIM_VLLM_CASES;

/** Every case at hand, a further one in place of the project's of the same name. */
export function vllmCases(): readonly VllmCase[] {
  const own = read(join(import.meta.dirname, "cases"));
  const further = FURTHER_CASES === undefined ? [] : read(FURTHER_CASES);
  const names = further.map(({ name }) => name);
  return [...further, ...own.filter(({ name }) => !names.includes(name))];
}

/** What a case expects: of each result its version, and of the versions that gave the same. */
export function expectationsOf(given: VllmCase): Expectation[] {
  const [first] = given.results;
  const same = given.identical_in.map(({ version }) => ({ ...first!, version }));
  return [...given.results, ...same].map((result) => ({
    title: `${given.name} under ${result.version}: ${given.about}`,
    given,
    version: versionOf(result.version),
    result,
  }));
}
