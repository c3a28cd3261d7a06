/**
 * A recorded trace of requests: when each arrived, how long its prompt and output were. A trace is data, so a
 * configuration names it by its key and the registry brings it (`withTraces`); columns may stand in shared
 * memory, so that handing them to another thread costs nothing.
 */
import type { OptionSpec, Spec } from "../options/definition.js";
import { textOf } from "../options/definition.js";

export interface Trace {
  /** Names the data: the same key, the same rows. */
  readonly key: string;
  /** Instants of arrival in whole ns, the first 0, never decreasing; null for a table of lengths alone. */
  readonly arrivedAt: Float64Array | null;
  /** At least 1. */
  readonly promptTokens: Int32Array;
  /** At least 0. */
  readonly outputTokens: Int32Array;
  /** Prompt tokens that a prefix cache held. */
  readonly prefixHitTokens?: Int32Array;
  /** Priority, the lower the sooner. */
  readonly priority?: Int32Array;
}

/** Twelve made-up requests in a minute: what the definitions show themselves on. */
export const EXAMPLE: Trace = {
  key: "example",
  arrivedAt: Float64Array.from([0, 2, 3, 3, 9, 14, 21, 22, 30, 41, 42, 60], (second) => second * 1e9),
  promptTokens: Int32Array.of(120, 15, 800, 44, 260, 31, 1900, 90, 12, 350, 75, 140),
  outputTokens: Int32Array.of(60, 210, 12, 150, 80, 300, 5, 90, 240, 33, 0, 128),
};

/** Which trace: the key is found from a file's bytes, so nobody types it. */
export const DATA_OPTION: OptionSpec = {
  key: "data",
  kind: "text",
  summary: "key of the trace; --trace or --lengths-from sets it",
};

/** The trace that a checked spec names. */
export function traceOf(traces: readonly Trace[], spec: Spec): Trace {
  const found = traces.find(({ key }) => key === textOf(spec, "data"));
  if (!found) throw new RangeError(`no trace with the key ${textOf(spec, "data")}`);
  return found;
}

/** What is wrong with the trace that a spec names, for a definition's check. */
export function checkTrace(traces: readonly Trace[], spec: Spec, needsInstants: boolean): string[] {
  const data = textOf(spec, "data");
  const trace = traces.find(({ key }) => key === data);
  if (!trace) return [`data: ${data} (no such trace is loaded; give its file by --trace or --lengths-from)`];
  if (!needsInstants) return [];
  return trace.arrivedAt === null ? [`data: lengths without instants (give the file by --lengths-from)`] : [];
}

/** The last arrival of a trace with instants, in ns. */
export const lastInstant = ({ arrivedAt }: Trace): number => arrivedAt!.at(-1) ?? 0;
