/**
 * What every trace format owes: a file in its own form, told by its content alone and by no other format, read to the
 * same four requests as all the others. LLMSIM_LONG=1 changes each file in more ways.
 */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import type { Trace } from "../../src/core/workload/trace.js";
import { FileError } from "../../src/io/files.js";
import { readTrace, TRACE_FORMATS, type TraceOptions } from "../../src/io/trace-reader.js";

/** `<format>.<ext>`, and `<format>.<variant>.<ext>` of files of the format that are written in another way. */
const FOLDER = new URL("../golden/traces/", import.meta.url);
const FIXTURES = readdirSync(FOLDER).map((file) => ({
  file,
  format: file.split(".")[0]!,
  isLengths: file.includes(".lengths."),
  bytes: readFileSync(new URL(file, FOLDER)),
}));

const CHANGES = process.env.LLMSIM_LONG === "1" ? 150 : 40;

/** Requests that have failed, in files that have such. */
const LEFT_OUT: Readonly<Record<string, number>> = {
  "aiperf.jsonl": 1,
  "burstgpt.csv": 1,
  "guidellm.json": 1,
  "inference-perf.json": 1,
  "inference-perf.older.json": 1,
  "inference-sim.csv": 1,
  "sglang.lengths.jsonl": 1,
  "vllm.json": 1,
  "vllm.lengths.json": 1,
};

/** The requests that all of them hold: the instants of arrival from the first on in ms, and the tokens. */
const ARRIVED_MS = [0, 1500, 1500, 4250];
const PROMPTS = [374, 396, 16, 879];
const OUTPUTS = [44, 109, 1, 55];

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const read = (bytes: Uint8Array, options: Partial<TraceOptions> = {}, size = 1 << 16) =>
  readTrace(pieces(bytes, size), "x", { use: "replay", ...options });
const rowsOf = ({ arrivedAt, promptTokens, outputTokens }: Trace): unknown => [
  arrivedAt && [...arrivedAt],
  [...promptTokens],
  [...outputTokens],
];

test("each has a file, and each file is of one of them", () => {
  const names = TRACE_FORMATS.map(({ name }) => name);
  expect([...new Set(FIXTURES.map(({ format }) => format))].sort()).toEqual([...names].sort());
});

describe.each(FIXTURES)("$file", ({ file, format, isLengths, bytes }) => {
  const use = isLengths ? "lengths" : "replay";

  test("is told by its content, and read to the rows that it holds", async () => {
    const loaded = await read(bytes, { use });
    expect([loaded.format, loaded.leftOut]).toEqual([format, LEFT_OUT[file] ?? 0]);
    expect(rowsOf(loaded.trace)).toEqual([
      isLengths ? null : ARRIVED_MS.map((ms) => ms * 1e6),
      PROMPTS,
      OUTPUTS,
    ]);
    const again = await read(bytes, { use, format });
    expect(again.trace.key).toBe(loaded.trace.key);
  });

  test("is told for its lengths alone, too", async () => {
    const { format: told, trace } = await read(bytes, { use: "lengths" });
    // In the order of the file, which need not be that of arrival.
    const pairs = PROMPTS.map((prompt, i) => `${prompt} ${OUTPUTS[i]}`);
    expect(told).toBe(format);
    expect(trace.arrivedAt).toBeNull();
    expect([...trace.promptTokens].map((prompt, i) => `${prompt} ${trace.outputTokens[i]}`).sort()).toEqual(
      pairs.sort(),
    );
  });

  test("is refused by every other format", async () => {
    for (const { name } of TRACE_FORMATS) {
      if (name === format) continue;
      for (const each of ["replay", "lengths"] as const)
        await expect(read(bytes, { use: each, format: name }), name).rejects.toThrow(ConfigError);
    }
  });

  test("whatever is changed in it, it is read or refused with a reason", async () => {
    const text = bytes.toString("latin1");
    const part = fc.record({
      at: fc.nat(text.length),
      length: fc.nat(30),
      by: fc.oneof(
        fc.string({ maxLength: 5 }),
        fc.constantFrom(
          "null",
          "[]",
          "{}",
          "[[",
          "}",
          '"',
          ",",
          "-1",
          "1e999",
          "\n",
          "\xff",
          "[".repeat(9999),
        ),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 3 }), async (parts) => {
        let changed = text;
        for (const { at, length, by } of parts)
          changed = changed.slice(0, at) + by + changed.slice(at + length);
        for (const each of ["replay", "lengths"] as const) {
          const error: unknown = await read(Buffer.from(changed, "latin1"), { use: each }).catch(
            (e: unknown) => e,
          );
          if (error instanceof Error && !(error instanceof FileError))
            expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: CHANGES },
    );
  });

  test("its rows are the same after they were written in our own form", async () => {
    const { trace } = await read(bytes, { use });
    const { arrivedAt, promptTokens, outputTokens, prefixHitTokens, priority } = trace;
    const columns = {
      arrival_s: Array.from(arrivedAt ?? new Float64Array(4), (at) => at / 1e9),
      prompt_tokens: promptTokens,
      output_tokens: outputTokens,
      ...(prefixHitTokens && { prefix_hit_tokens: prefixHitTokens }),
      ...(priority && { priority }),
    };
    const lines = PROMPTS.map((_, i) => Object.values(columns).map((values) => values[i]));
    const own = Buffer.from([Object.keys(columns), ...lines].map((cells) => `${cells.join(",")}\n`).join(""));
    expect((await read(own, { use })).trace.key).toBe(trace.key);
  });

  test("a byte at a time, packed by gzip, with CRLF and a byte order mark it is the same", async () => {
    const { trace } = await read(bytes, { use });
    const keyOf = async (other: Uint8Array, size?: number): Promise<string> =>
      (await read(other, { use }, size)).trace.key;
    expect(await keyOf(bytes, 1)).toBe(trace.key);
    expect(await keyOf(gzipSync(bytes), 7)).toBe(trace.key);
    const text = bytes.toString("utf8");
    expect(await keyOf(Buffer.from(`\ufeff${text.replaceAll("\n", "\r\n")}`))).toBe(trace.key);
  });
});
