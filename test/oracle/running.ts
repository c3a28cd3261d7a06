/** Runs the oracle on rows of numbers in ms, and prints its iterations as lines: for cases worked out by hand. */
import { runOracle, type OracleInput, type OracleIteration, type OracleOutput } from "./oracle.js";

export const MS = 1e6;

/** [arrival in ms, prompt tokens, output tokens, prefix hit tokens] */
export type Row = [number, number, number, number?];

export interface Changes {
  scheduler?: OracleInput["scheduler"];
  engine?: Partial<OracleInput["engine"]>;
  service?: Partial<OracleInput["service"]>;
  conventions?: Partial<OracleInput["conventions"]>;
  price?: NonNullable<OracleInput["price"]>;
  clients?: NonNullable<OracleInput["clients"]>;
  horizonNs?: number;
}

/** KV tokens of which so many blocks are usable. */
export const kvOf = (usableBlocks: number): number => 16 * (usableBlocks + 1);

/** Unless changed: vllm, synchronous, every iteration 10 ms, no limit that binds. */
export function run(rows: Row[], changes: Changes = {}): OracleOutput {
  const { engine, service, conventions, ...others } = changes;
  return runOracle({
    requests: rows.map(([at, promptTokens, outputTokens, prefixHitTokens]) => {
      return {
        arrivedAt: Math.round(at * MS),
        promptTokens,
        outputTokens,
        prefixHitTokens: prefixHitTokens ?? 0,
      };
    }),
    scheduler: { kind: "vllm" },
    engine: {
      maxTokens: 10_000,
      maxSequences: 100,
      chunkSize: null,
      replicas: 1,
      async: false,
      ...engine,
    },
    service: { cMs: 10, aMs: 0, b0: 0, exponential: false, ...service },
    conventions: {
      firstToken: "prefill",
      mixedBatch: "sum",
      sequenceCap: "resident",
      tbt: "gaps",
      ...conventions,
    },
    draw: () => {
      throw new Error("no draw is due");
    },
    ...others,
  });
}

/** "10-25 d2 p0:5 p1:3@16": ms from, ms to, decoding ids, prompt id:tokens@tokens computed before (if any). */
function line({ startAt, endAt, prefill, decode }: OracleIteration): string {
  const prompts = prefill.map(
    ({ id, tokens, cached }) => `p${id}:${tokens}${cached > 0 ? `@${cached}` : ""}`,
  );
  const decodes = decode.map((id) => `d${id}`);
  return [`${startAt / MS}-${endAt / MS}`, ...decodes, ...prompts].join(" ");
}

export const lines = (output: OracleOutput, replica = 0): string[] =>
  output.iterations.filter((iteration) => iteration.replica === replica).map(line);
/** When each iteration was composed, in ms. */
export const composed = (output: OracleOutput): number[] =>
  output.iterations.map(({ composedAt }) => composedAt / MS);
export const inMs = (instants: number[]): number[] => instants.map((at) => at / MS);
export const tokensOf = (output: OracleOutput, id: number): number[] => inMs(output.requests[id]!.tokenAt);
