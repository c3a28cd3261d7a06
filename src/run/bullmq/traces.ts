/**
 * Recorded traces on their way to workers: the columns of each stand once in Redis, under the hash of their bytes,
 * and jobs name them by it. A worker that fetches one hashes it again, so what it simulates is what was sent.
 */
import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Trace } from "../../core/workload/trace.js";
import { GONE, refusal, type TraceName } from "./job.js";

/** A trace that nobody asks for is forgotten after a day; a run that lasts longer renews it. */
const KEPT_SECONDS = 86_400;
const INTEGERS = ["promptTokens", "outputTokens", "prefixHitTokens", "priority"] as const;

const redisKey = (sha256: string): string => `llmsim:trace:${sha256}`;
const sha256Of = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** The bytes of a trace: a line that says which columns there are, then the columns. */
export function traceBytes(trace: Trace): Buffer {
  const columns = INTEGERS.filter((name) => trace[name] !== undefined);
  const head = { rows: trace.promptTokens.length, arrivedAt: trace.arrivedAt !== null, columns };
  const parts = [trace.arrivedAt, ...columns.map((name) => trace[name]!)].filter((part) => part !== null);
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head)}\n`),
    ...parts.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  ]);
}

/** @throws Refusal when the bytes are those of no trace */
export function readTrace(key: string, bytes: Buffer): Trace {
  const end = bytes.indexOf("\n");
  const { rows, arrivedAt, columns } = JSON.parse(bytes.toString("utf8", 0, Math.max(0, end))) as {
    rows: number;
    arrivedAt: boolean;
    columns: (typeof INTEGERS)[number][];
  };
  const isKnown = Array.isArray(columns) && columns.every((name) => INTEGERS.includes(name));
  const width = (arrivedAt ? 8 : 0) + 4 * (isKnown ? columns.length : 0);
  if (!isKnown || !Number.isSafeInteger(rows) || bytes.length !== end + 1 + rows * width)
    throw refusal("a trace of another form");
  let at = end + 1;
  const take = (size: number): ArrayBuffer => {
    const part = Uint8Array.from(bytes.subarray(at, (at += rows * size))).buffer;
    return part;
  };
  const instants = arrivedAt ? new Float64Array(take(8)) : null;
  const taken = Object.fromEntries(columns.map((name) => [name, new Int32Array(take(4))]));
  return { key, arrivedAt: instants, ...taken } as unknown as Trace;
}

/** Traces to be sent, hashed once. */
export interface Parcel {
  readonly name: TraceName;
  readonly bytes: Buffer;
}

export const parcelsOf = (traces: readonly Trace[]): Parcel[] =>
  traces.map((trace) => {
    const bytes = traceBytes(trace);
    return { name: { key: trace.key, sha256: sha256Of(bytes) }, bytes };
  });

/** Sees to it that the traces stand in Redis for another day. */
export async function deposit(client: Redis, parcels: readonly Parcel[]): Promise<void> {
  for (const { name, bytes } of parcels)
    if ((await client.expire(redisKey(name.sha256), KEPT_SECONDS)) === 0)
      await client.set(redisKey(name.sha256), bytes, "EX", KEPT_SECONDS);
}

/** @throws Refusal when it is gone, or not what its name says */
export async function fetchTrace(client: Redis, { key, sha256 }: TraceName): Promise<Trace> {
  const bytes = await client.getBuffer(redisKey(sha256));
  if (bytes === null) throw refusal(`a trace ${GONE}`);
  if (sha256Of(bytes) !== sha256) throw refusal("a trace with other bytes than its name says");
  return readTrace(key, bytes);
}
