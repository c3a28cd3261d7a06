/**
 * Lengths of a recorded trace: a column of it, rows equally likely. Where the arrivals are the trace's too, each
 * request has its own row; where they are not (`--lengths-from`), prompt and output come from one row drawn at
 * random, so that their correlation stays.
 */
import { textOf } from "../options/definition.js";
import type { LengthDefinition, LengthLaw } from "./length-law.js";
import { ListedLengths } from "./listed-lengths.js";
import { checkTrace, DATA_OPTION, type Trace, traceOf } from "./trace.js";

function lawOf(trace: Trace, column: string): LengthLaw {
  const values = column === "prompt" ? trace.promptTokens : trace.outputTokens;
  const { prefixHitTokens, priority } = trace;
  const law = new ListedLengths(values);
  return {
    get least() {
      return law.least;
    },
    get mean() {
      return law.mean;
    },
    survival: (n) => law.survival(n),
    sample: (stream) => law.sample(stream),
    joint: {
      table: trace.key,
      row: (stream) => law.row(stream),
      rows: values.length,
      weight: () => 1 / values.length,
      at: (row) => values[row],
      marks: { ...(prefixHitTokens && { prefixHitTokens }), ...(priority && { priority }) },
    },
  };
}

/** The length law `trace` over these traces. */
export function traceLengths(traces: readonly Trace[]): LengthDefinition {
  // A law sorts its column once, however often a configuration asks for it.
  const laws = new Map<string, LengthLaw>();
  return {
    name: "trace",
    summary: "a column of a recorded trace, rows equally likely or as they arrive",
    source: "empirical distribution of the trace",
    options: [
      DATA_OPTION,
      { key: "column", kind: "choice", choices: ["prompt", "output"], summary: "which lengths of the trace" },
    ],
    examples: [
      { kind: "trace", data: "example", column: "prompt" },
      { kind: "trace", data: "example", column: "output" },
    ],
    check: (spec) => checkTrace(traces, spec, false),
    create(spec) {
      const column = textOf(spec, "column");
      const trace = traceOf(traces, spec);
      const key = `${column} ${trace.key}`;
      const law = laws.get(key) ?? lawOf(trace, column);
      laws.set(key, law);
      return law;
    },
  };
}
