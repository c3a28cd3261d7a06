/** A case run by the oracle and by the fast engine, each told in the form of the case's results. */
import type { Inspector } from "../../src/core/engine/inspector.js";
import type { ScheduledBatch } from "../../src/core/state/scheduled-batch.js";
import type { Replica } from "../../src/core/state/replica.js";
import type { TrialState } from "../../src/core/state/trial-state.js";
import { Requests } from "../../src/core/workload/requests.js";
import { complete } from "../../src/core/configuration/config.js";
import type { Sequences } from "../../src/core/state/sequences.js";
import { inspected } from "../inspected.js";
import { runOracle, type OracleInput } from "../oracle/oracle.js";
import type { Expectation, VllmRequest, VllmResult } from "./vllm-cases.js";

const MS = 1e6;

/** What was decided, but for the version's name. */
export type Account = Required<Omit<VllmResult, "version">>;

/** The settings of a case, in our words. */
function settingsOf({ given, version, result }: Expectation) {
  const { settings, iteration_time: time, requests } = given;
  const blocks = settings.kv_never_full ? null : settings.num_gpu_blocks * settings.block_size;
  return {
    engine: {
      maxTokens: settings.max_num_batched_tokens,
      maxSequences: settings.max_num_seqs,
      chunkSize: settings.long_prefill_token_threshold || null,
      replicas: 1,
      kvTokens: blocks,
      blockTokens: settings.block_size,
      prefixCaching: settings.enable_prefix_caching ? null : (false as const),
      reservePrompt: settings.scheduler_reserve_full_isl ? null : false,
      async: settings.async_scheduling,
    },
    // Without chunked prefill vLLM packs as Orca does.
    scheduler: settings.enable_chunked_prefill
      ? ({ kind: "vllm", version } as const)
      : ({ kind: "orca" } as const),
    service: { cMs: time.c_ns / MS, aMs: time.a_ns / MS, b0: time.b0 },
    isByPriority: settings.policy === "priority",
    requests: requests.map((request, i) => ({
      arrivedAt: request.arrival_ns,
      promptTokens: request.prompt_tokens,
      outputTokens: request.output_tokens,
      // Where prompts are shared, what was found of others' is given.
      prefixHitTokens: result.requests[i]!.prefix_hit_tokens[0]!,
      priority: request.priority ?? 0,
    })),
  };
}

interface Chunk {
  readonly id: number;
  readonly tokens: number;
  /** Tokens computed, or found, before. */
  readonly cached: number;
}

interface Row {
  readonly composedAt: number;
  readonly startAt: number;
  readonly endAt: number;
  readonly decodes: number;
  readonly chunks: readonly Chunk[];
  readonly admitted: number;
  readonly preempted: number;
}

/** Collects iterations and, by request, what happened when. */
class Ledger {
  readonly iterations = {
    composed_ns: [] as number[],
    start_ns: [] as number[],
    end_ns: [] as number[],
    decode_tokens: [] as number[],
    prefill_tokens: [] as number[],
    admitted: [] as number[],
    preempted: [] as number[],
    prompts: [] as Record<string, number>[],
  };
  readonly empty: { composed_ns: number; preempted: number }[] = [];
  readonly scheduled: number[][];
  readonly hits: number[][];
  readonly preempted: number[][];
  private readonly isResident: boolean[];

  constructor(count: number) {
    const lists = (): number[][] => Array.from({ length: count }, () => []);
    this.scheduled = lists();
    this.hits = lists();
    this.preempted = lists();
    this.isResident = Array<boolean>(count).fill(false);
  }

  /** A batch is composed: who it lets in. @returns how many */
  composed(at: number, chunks: readonly Chunk[]): number {
    const admitted = chunks.filter(({ id }) => !this.isResident[id]);
    for (const { id, cached } of admitted) {
      this.isResident[id] = true;
      this.scheduled[id]!.push(at);
      this.hits[id]!.push(cached);
    }
    return admitted.length;
  }

  /** An iteration has run. */
  ran(row: Row): void {
    const { iterations } = this;
    iterations.composed_ns.push(row.composedAt);
    iterations.start_ns.push(row.startAt);
    iterations.end_ns.push(row.endAt);
    iterations.decode_tokens.push(row.decodes);
    iterations.prefill_tokens.push(row.chunks.reduce((sum, { tokens }) => sum + tokens, 0));
    iterations.admitted.push(row.admitted);
    iterations.preempted.push(row.preempted);
    iterations.prompts.push(Object.fromEntries(row.chunks.map(({ id, tokens }) => [id, tokens])));
  }

  preempts(id: number, at: number): void {
    this.preempted[id]!.push(at);
    this.isResident[id] = false;
  }

  account(ends: (id: number) => { first: number; finished: number }): Account {
    const requests = this.scheduled.map((scheduled_ns, id): VllmRequest => {
      const { first, finished } = ends(id);
      return {
        scheduled_ns,
        prefix_hit_tokens: this.hits[id]!,
        preempted_ns: this.preempted[id]!,
        first_token_ns: Number.isNaN(first) ? null : first,
        finished_ns: finished,
      };
    });
    const { iterations, empty } = this;
    return { requests, iterations, empty_compositions_with_preemptions: empty };
  }
}

export function byOracle(expected: Expectation): Account {
  const { engine, scheduler, service, requests, isByPriority } = settingsOf(expected);
  const output = runOracle({
    requests,
    scheduler,
    engine,
    service: { ...service, exponential: false },
    conventions: { firstToken: "prefill", mixedBatch: "sum", sequenceCap: "resident", tbt: "gaps" },
    ...(isByPriority && {
      discipline: { kind: "priority", classes: requests.map(({ priority }) => priority) },
    }),
    draw: () => 1,
  } satisfies OracleInput);
  const ledger = new Ledger(requests.length);
  for (const { composedAt, startAt, endAt, preempted, decode, prefill } of output.compositions) {
    for (const id of preempted) ledger.preempts(id, composedAt);
    if (decode.length + prefill.length === 0)
      ledger.empty.push({ composed_ns: composedAt, preempted: preempted.length });
    else {
      const batch = { decodes: decode.length, chunks: prefill, preempted: preempted.length };
      ledger.ran({ composedAt, startAt, endAt, admitted: ledger.composed(composedAt, prefill), ...batch });
    }
  }
  return ledger.account((id) => {
    const { firstTokenAt, finishedAt } = output.requests[id]!;
    return { first: firstTokenAt, finished: finishedAt };
  });
}

/** Writes down what the fast engine does: compositions when they are made, iterations when a stretch of them is over. */
class Watcher implements Inspector {
  private readonly batches = new Map<ScheduledBatch, Omit<Row, "startAt" | "endAt">>();
  private readonly seen: number[];

  constructor(
    private readonly ledger: Ledger,
    count: number,
    private readonly isAhead: boolean,
  ) {
    this.seen = Array<number>(count).fill(0);
  }

  began(_: Replica, scheduled: ScheduledBatch, { now, sequences }: TrialState): void {
    const preempted = this.look(now, sequences);
    if (preempted > scheduled.preempted)
      this.ledger.empty.push({ composed_ns: now, preempted: preempted - scheduled.preempted });
    const chunks = Array.from({ length: scheduled.chunkCount }, (_, i) => {
      const id = scheduled.chunkId[i]!;
      const tokens = scheduled.chunkTokens[i]!;
      // What is left has lost this chunk already.
      return { id, tokens, cached: sequences.known(id) - sequences.promptLeft[id]! - tokens };
    });
    this.batches.set(scheduled, {
      composedAt: now,
      decodes: scheduled.decodes,
      chunks,
      admitted: this.ledger.composed(now, chunks),
      preempted: scheduled.preempted,
    });
  }

  ended({ scheduled, engine: { varies } }: Replica): void {
    const first = this.batches.get(scheduled)!;
    for (let i = 1; i <= scheduled.iterations; i++) {
      const startAt = scheduled.endOf(i - 1, varies);
      const endAt = scheduled.endOf(i, varies);
      if (i === 1) this.ledger.ran({ ...first, startAt, endAt });
      else this.ledger.ran({ ...first, composedAt: this.composedAt(scheduled, i, varies), startAt, endAt });
    }
  }

  /** A repeat would be composed when the iteration before it starts, or without a batch ahead when that one ends. */
  private composedAt(scheduled: ScheduledBatch, i: number, varies: boolean): number {
    return scheduled.endOf(this.isAhead ? i - 2 : i - 1, varies);
  }

  settled(_: readonly Replica[], { now, sequences }: TrialState): void {
    const preempted = this.look(now, sequences);
    if (preempted > 0) this.ledger.empty.push({ composed_ns: now, preempted });
  }

  /** Who was preempted since somebody looked last. @returns how often */
  private look(now: number, { preemptions }: Sequences): number {
    if (preemptions === null) return 0;
    let found = 0;
    for (let id = 0; id < this.seen.length; id++)
      for (; this.seen[id]! < preemptions[id]!; this.seen[id]!++, found++) this.ledger.preempts(id, now);
    return found;
  }
}

export function byEngine(expected: Expectation): Account {
  const { engine, scheduler, service, requests, isByPriority } = settingsOf(expected);
  const length = { kind: "fixed", tokens: 1 };
  const config = complete({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 1 },
      promptTokens: length,
      outputTokens: length,
    },
    service: { kind: "affine", ...service },
    engine: { ...engine, discipline: isByPriority ? { kind: "priority" } : { kind: "fcfs" } },
    scheduler,
  });
  const given = Requests.of(requests);
  given.prefixHitTokens = Int32Array.from(requests, ({ prefixHitTokens }) => prefixHitTokens);
  given.priority = Int32Array.from(requests, ({ priority }) => priority);
  const ledger = new Ledger(requests.length);
  const { shared } = inspected(config, given, new Watcher(ledger, requests.length, engine.async));
  const { firstTokenAt, finishedAt } = shared.sequences;
  return ledger.account((id) => ({ first: firstTokenAt[id]!, finished: finishedAt[id]! }));
}
