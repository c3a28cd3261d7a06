/**
 * What the oracle is given and what it says. Plain data; all instants and times are integers in nanoseconds.
 * The fields after the first five of an input are optional and leave the base model of docs/model.md as it is.
 */

export interface OracleLengths {
  promptTokens: number;
  outputTokens: number;
  /** prompt tokens found in the prefix cache when the request is first admitted; 0 if absent */
  prefixHitTokens?: number;
}

/** One client of a closed loop: its i-th request has `lengths[i]` and comes `thinkTimes[i]` after the answer before. */
export interface OracleClient {
  thinkTimes: number[];
  lengths: OracleLengths[];
}

export interface OracleInput {
  /** sorted by arrivedAt, ids = indices; empty with `clients` */
  requests: ({ arrivedAt: number } & OracleLengths)[];
  scheduler:
    | { kind: "decode-prioritizing" }
    | { kind: "prefill-prioritizing" }
    | { kind: "hybrid"; ratio: number; ratioOf: "sequences" | "tokens" }
    | { kind: "sarathi" }
    | { kind: "orca" }
    | {
        kind: "vllm";
        /** whose rules of memory and of victims; absent: 0.19 */ version?: "0.16" | "0.19" | "2026-08";
      };
  engine: {
    maxTokens: number;
    maxSequences: number;
    chunkSize: number | null;
    replicas: number;
    /** size of a replica's KV cache in tokens, as vLLM logs it; null or absent: unlimited */
    kvTokens?: number | null;
    /** asynchronous scheduling: batches composed one iteration ahead; absent: on for `vllm`, off for the others */
    async?: boolean | undefined;
    /** from a request's arrival to the engine's knowing of it */
    overheadNs?: number;
    /** tokens of a KV block; absent: 16 */
    blockTokens?: number;
    /** false: nothing is found again, neither prefix hits nor blocks of one's own; null or absent: both are */
    prefixCaching?: false | null;
    /** the whole prompt must fit to be admitted, or only its chunk; null or absent: as the scheduler's version has it */
    reservePrompt?: boolean | null;
    /** share of all blocks that an admission leaves free while anybody runs; absent: 0 */
    watermark?: number;
  };
  /**
   * S = h + c + a1·min(b, b0) + a·max(0, b − b0) + f·(k + km·[any prefill in the batch])·ΣKV, in ms.
   * Absent: h, a1, k, km = 0 and f = 1.
   */
  service: {
    cMs: number;
    aMs: number;
    b0: number;
    exponential: boolean;
    hMs?: number;
    a1Ms?: number;
    f?: number;
    kMs?: number;
    kmMs?: number;
  };
  conventions: {
    firstToken: "prefill" | "decode";
    mixedBatch: "sum" | "max";
    sequenceCap: "resident" | "iteration";
    /** how TBT is computed from the instants (model §4): no instant depends on it, so the oracle ignores it */
    tbt: "gaps" | "tokens";
  };
  /** order of the unstarted prompts, what it needs to know being given by id; absent: fcfs */
  discipline?:
    | { kind: "fcfs" }
    | { kind: "sjf"; /** log of predicted over true time alone */ logError: number[] }
    | { kind: "priority"; classes: number[] };
  /** next Exp(1) draw of that replica's own service stream; called exactly once per iteration when exponential */
  draw(replica: number): number;
  /** another service-time model in place of `service`: whole ns of one batch shape (one side, under `max`) */
  price?(shape: OracleShape): number;
  /**
   * model §4: so many of `requests` are out at once, at the most; each is sent when it is due (its `arrivedAt` here) and
   * fewer are out, in their order. What comes back as `arrivedAt` is the instant of sending.
   */
  maxConcurrency?: number;
  /** a closed loop in place of `requests` */
  clients?: OracleClient[];
  /** a closed loop sends nothing after this instant */
  horizonNs?: number;
}

/** What a service-time model may see of a batch. */
export interface OracleShape {
  /** sequences that get one decode token */
  decodes: number;
  /** tokens in the cache, before the iteration, of every sequence that gets one decode token */
  sumKv: number;
  /** of every chunk: its tokens, and the tokens its sequence had computed before */
  chunks: { tokens: number; cached: number }[];
}

export interface OracleRequest extends Required<OracleLengths> {
  /** its client in a closed loop, else -1 */
  client: number;
  arrivedAt: number;
  /** composition of the first batch that holds it; NaN if rejected */
  startedAt: number;
  /** NaN if none (B = 0, rejected) */
  firstTokenAt: number;
  /** NaN if rejected */
  finishedAt: number;
  /** instants of every output token */
  tokenAt: number[];
  /** of the replica where its prefill began; -1 if rejected */
  replica: number;
  /** instants at which it was preempted */
  preemptedAt: number[];
  /** it could never fit into the KV cache, and was turned away on arrival */
  rejected: boolean;
}

export interface OracleIteration {
  replica: number;
  /** startAt, or with asynchronous scheduling the end of the iteration before the last */
  composedAt: number;
  startAt: number;
  endAt: number;
  prefill: { id: number; tokens: number; cached: number }[];
  decode: number[];
  sumKv: number;
  /** who was preempted for this batch */
  preempted: number[];
}

export interface OracleOutput {
  requests: OracleRequest[];
  /** in the order of their composition */
  iterations: OracleIteration[];
  /** these, and the compositions between them that came to nothing but preemptions: they take no time */
  compositions: OracleIteration[];
  /** computed in chunks: prompts less their prefix hits, and what is recomputed after preemptions */
  prefillTokens: number;
  decodeTokens: number;
  /** iteration time, summed over iterations and replicas */
  busyTime: number;
  preemptions: number;
  rejected: number;
  /** tokens that first admissions found in the prefix cache */
  prefixHitTokens: number;
  /** tokens that resumed requests found in blocks of their own */
  survivorTokens: number;
  /** tokens that preempted requests had computed (hits and iterations in flight included) and still needed */
  lostTokens: number;
  /** owned KV blocks · ns, over all replicas, from the first instant to the last */
  kvBlockTime: number;
}
