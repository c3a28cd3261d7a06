/** Trace files: each format read exactly, each fault told with file, line and column, and a million rows quickly. */
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { nodeFiles } from "../../src/io/files.js";
import { loadTrace, readTrace, TRACE_FORMATS, type TraceOptions } from "../../src/io/trace-reader.js";

const read = (text: string, options: Partial<TraceOptions> = {}) =>
  readTrace(text, "t.csv", { use: "replay", ...options });
function issuesOf(text: string, options: Partial<TraceOptions> = {}): string[] {
  try {
    read(text, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ message }) => message);
    throw error;
  }
  return [];
}
const table = (text: string, options: Partial<TraceOptions> = {}): unknown => {
  const { trace, format } = read(text, options);
  const { arrivedAt, promptTokens, outputTokens } = trace;
  return [format, arrivedAt && [...arrivedAt], [...promptTokens], [...outputTokens]];
};

const AZURE = `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 23:59:59.9999999,374,44
2023-11-17 00:00:00.0000000,396,109
2023-11-17 00:00:00.1234567,879,0
`;
const MOONCAKE = `{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}
{"timestamp": 30535, "input_length": 6472, "output_length": 26, "hash_ids": [46]}
{"timestamp": 30535.25, "input_length": 1, "output_length": 0}
`;
const BURSTGPT = `Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type
5,,1.5,ChatGPT,472,18,490,Conversation log
45,7,0,GPT-4,1087,0,1087,API log
118.5,7,2,"GPT-4, turbo",417,276,693,Conversation log
`;
const OWN = `arrival_s,prompt_tokens,output_tokens,prefix_hit_tokens,priority
10.5,100,20,64,1
10.5,7,3,,-2
12.000000001,9,0,9,
`;

describe("formats", () => {
  test("Azure: seven digits, across midnight", () => {
    expect(table(AZURE)).toEqual(["azure", [0, 100, 123_456_800], [374, 396, 879], [44, 109, 0]]);
  });

  test("Mooncake: JSON lines in ms", () => {
    expect(table(MOONCAKE)).toEqual(["mooncake", [0, 3_053e6, 3_053.25e6], [6955, 6472, 1], [52, 26, 0]]);
  });

  test("BurstGPT: columns by name in any order, failed requests left out and counted", () => {
    expect(table(BURSTGPT)).toEqual(["burstgpt", [0, 113.5e9], [472, 417], [18, 276]]);
    expect(read(BURSTGPT).leftOut).toBe(1);
    const older =
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,x,1,2,3,y\n6,x,4,5,9,y\n";
    expect(table(older)).toEqual(["burstgpt", [0, 1e9], [1, 4], [2, 5]]);
  });

  test("our own, with what a prefix cache held and priorities", () => {
    expect(table(OWN)).toEqual(["llmsim", [0, 0, 1_500_000_001], [100, 7, 9], [20, 3, 0]]);
    const { trace } = read(OWN);
    expect([[...trace.prefixHitTokens!], [...trace.priority!]]).toEqual([
      [64, 0, 9],
      [1, -2, 0],
    ]);
    expect(read(AZURE).trace.prefixHitTokens).toBeUndefined();
  });

  test("lengths alone: no instants are needed nor read", () => {
    const vidur =
      "num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n10,2,12,5.0\n20,4,24,5.0\n";
    expect(table(vidur, { use: "lengths" })).toEqual(["vidur", null, [10, 20], [2, 4]]);
    expect(issuesOf(vidur)).toEqual(["t.csv: no instants: vidur files list lengths (use --lengths-from)"]);
    expect(table("output_tokens,prompt_tokens\n3,1\n", { use: "lengths" })).toEqual([
      "llmsim",
      null,
      [1],
      [3],
    ]);
    expect(table(AZURE, { use: "lengths" })).toEqual(["azure", null, [374, 396, 879], [44, 109, 0]]);
  });

  test("CSV or JSON lines, whatever the names", () => {
    expect(table("timestamp,input_length,output_length\n5,1,2\n7,3,4\n")).toEqual([
      "mooncake",
      [0, 2e6],
      [1, 3],
      [2, 4],
    ]);
    expect(table('{"arrival_s": 1, "prompt_tokens": 5, "output_tokens": 6}\n')).toEqual([
      "llmsim",
      [0],
      [5],
      [6],
    ]);
  });

  test("each says what it is", () => {
    for (const { name, summary, source } of TRACE_FORMATS) {
      expect(name).toMatch(/^[a-z]+$/);
      expect([summary, source].every((text) => text.length > 5)).toBe(true);
    }
  });

  test("columns are in memory that threads share", () => {
    const { trace } = read(OWN);
    for (const column of [trace.arrivedAt!, trace.promptTokens, trace.priority!])
      expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});

describe("what does not matter", () => {
  const expected = table(AZURE);
  test.each([
    ["CRLF", AZURE.replaceAll("\n", "\r\n")],
    ["blank lines", AZURE.replaceAll("\n", "\n\n")],
    ["no line break at the end", AZURE.trimEnd()],
    ["spaces round cells", AZURE.replaceAll(",", " , ")],
    ["quotes", AZURE.replaceAll(/([^,\n]+)/g, '"$1"')],
    ["more columns", AZURE.replaceAll("\n", ",x\n").replaceAll(",x\n2023", ",1\n2023")],
  ])("%s", (_, text) => expect(table(text)).toEqual(expected));

  test("a byte order mark", async () => {
    const fs = {
      ...nodeFiles,
      readText: async () => new TextDecoder().decode(Buffer.from(`\ufeff${AZURE}`)),
    };
    const { trace } = await loadTrace(fs, "/", "t.csv", { use: "replay" });
    expect(trace.promptTokens.length).toBe(3);
  });
});

describe("the key names the data and what was done to it", () => {
  const keyOf = (text: string, options: Partial<TraceOptions> = {}): string => read(text, options).trace.key;
  test("the same bytes, the same key; anything else, another", () => {
    const keys = [
      keyOf(AZURE),
      keyOf(AZURE.replace("374", "375")),
      keyOf(AZURE, { limit: 2 }),
      keyOf(AZURE, { clipPrompt: 400 }),
      keyOf(AZURE, { use: "lengths" }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyOf(AZURE)).toBe(keys[0]);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{16}$/);
  });
});

test("a limit takes the first requests that count, a clip cuts prompts and what a cache held of them", () => {
  expect(table(BURSTGPT, { limit: 2 })).toEqual(["burstgpt", [0, 113.5e9], [472, 417], [18, 276]]);
  expect(table(BURSTGPT, { limit: 1 })).toEqual(["burstgpt", [0], [472], [18]]);
  const clipped = read(OWN, { clipPrompt: 8 });
  expect([[...clipped.trace.promptTokens], [...clipped.trace.prefixHitTokens!], clipped.clipped]).toEqual([
    [8, 7, 8],
    [8, 0, 8],
    2,
  ]);
});

describe("faults", () => {
  test.each<[string, string, string[]]>([
    ["an empty file", "", ["t.csv: empty (a header and rows, or JSON lines)"]],
    ["a header alone", "arrival_s,prompt_tokens,output_tokens\n", ["t.csv: no request (at least one row)"]],
    [
      "only failed requests",
      "Timestamp,Request tokens,Response tokens\n1,2,0\n2,3,0\n",
      ["t.csv: no request: all 2 of them failed (0 in Response tokens)"],
    ],
    [
      "a missing column",
      "TIMESTAMP,ContextTokens\n",
      ["t.csv:1: missing column: GeneratedTokens (azure; t.csv has: TIMESTAMP, ContextTokens)"],
    ],
    [
      "two missing columns",
      "arrival_s,input\n1,2\n",
      [
        "t.csv:1: missing column: prompt_tokens (llmsim; t.csv has: arrival_s, input)",
        "t.csv:1: missing column: output_tokens (llmsim; t.csv has: arrival_s, input)",
      ],
    ],
    [
      "a column twice",
      "arrival_s,prompt_tokens,prompt_tokens\n",
      ["t.csv:1: duplicate column: prompt_tokens"],
    ],
    [
      "times that go back",
      "arrival_s,prompt_tokens,output_tokens\n5,1,1\n4.999999999,1,1\n6,1,1\n",
      ['t.csv:3: invalid arrival_s: "4.999999999" (not before the request above, "5")'],
    ],
    [
      "tokens out of range",
      "arrival_s,prompt_tokens,output_tokens\n1,0,1\n2,-3,1\n3,1,-1\n4,1.5,1\n5,9999999999,1\n6,many,\n",
      [
        't.csv:2: invalid prompt_tokens: "0" (an integer at least 1 and at most 2147483647)',
        't.csv:3: invalid prompt_tokens: "-3" (an integer at least 1 and at most 2147483647)',
        't.csv:4: invalid output_tokens: "-1" (an integer at least 0 and at most 2147483647)',
        't.csv:5: invalid prompt_tokens: "1.5" (an integer at least 1 and at most 2147483647)',
        't.csv:6: invalid prompt_tokens: "9999999999" (an integer at least 1 and at most 2147483647)',
        't.csv:7: invalid output_tokens: "" (an integer at least 0 and at most 2147483647)',
        "t.csv:7: invalid prompt_tokens: many (an integer at least 1 and at most 2147483647)",
      ],
    ],
    [
      "an instant that is none",
      "arrival_s,prompt_tokens,output_tokens\n-1,1,1\n,1,1\n",
      [
        't.csv:2: invalid arrival_s: "-1" (a number of seconds at least 0)',
        't.csv:3: invalid arrival_s: "" (a number of seconds at least 0)',
      ],
    ],
    [
      "more cached than the prompt has",
      "arrival_s,prompt_tokens,output_tokens,prefix_hit_tokens\n1,31,1,32\n",
      ['t.csv:2: invalid prefix_hit_tokens: "32" (an integer at least 0 and at most 31)'],
    ],
    [
      "a last line that is cut off",
      "arrival_s,prompt_tokens,output_tokens\n1,31,1\n2,3",
      ["t.csv:3: 2 cells (3, as in the header): the last line is cut off"],
    ],
    [
      "a quote that is not closed",
      'arrival_s,prompt_tokens,output_tokens\n1,"31,1\n2,3,4\n',
      ["t.csv:2: a quote is not closed"],
    ],
    [
      "JSON that is cut off",
      `${MOONCAKE}{"timestamp": 4`,
      ["t.csv:4: not a JSON object: the last line is cut off"],
    ],
    [
      "JSON with a key missing, or a text for a number",
      '{"timestamp": 1, "input_length": 5, "output_length": 6}\n{"timestamp": 1, "input_length": "5"}\n',
      [
        "t.csv:2: missing output_length (an integer at least 0 and at most 2147483647)",
        't.csv:2: invalid input_length: \\"5\\" (an integer at least 1 and at most 2147483647)',
      ],
    ],
    [
      "longer than the clock counts",
      "arrival_s,prompt_tokens,output_tokens\n1,1,1\n9007201,1,1\n",
      ['t.csv:3: invalid arrival_s: "9007201" (at most 104 days after the first request)'],
    ],
  ])("%s", (_, text, expected) => expect(issuesOf(text)).toEqual(expected));

  test("a file of no known format is shown all of them", () => {
    const [message, ...rest] = issuesOf("a,b,c\n1,2,3\n");
    expect(rest).toEqual([]);
    expect(message).toMatch(/^unknown trace format: t\.csv has: a, b, c \(one of: azure: TIMESTAMP, /);
    for (const { name } of TRACE_FORMATS) expect(message).toContain(`${name}: `);
  });

  test("a format that was asked for is held to its columns; a name that is none is refused", () => {
    expect(issuesOf(AZURE, { format: "burstgpt" })).toEqual(
      ["Timestamp", "Request tokens", "Response tokens"].map(
        (column) =>
          `t.csv:1: missing column: ${column} (burstgpt; t.csv has: TIMESTAMP, ContextTokens, GeneratedTokens)`,
      ),
    );
    expect(issuesOf(AZURE, { format: "azur" })).toEqual([
      "invalid --trace-format: azur (one of: azure, burstgpt, llmsim, mooncake, vidur) — did you mean azure?",
    ]);
  });

  test("of many faults ten are shown and the rest are counted", () => {
    const text = `arrival_s,prompt_tokens,output_tokens\n${"1,0,1\n".repeat(1234)}`;
    const issues = issuesOf(text);
    expect(issues.length).toBe(11);
    expect(issues[9]).toMatch(/^t\.csv:11: /);
    expect(issues[10]).toBe("t.csv: … and 1224 more");
  });
});

test("a million rows are read", () => {
  // Ten thousand rows a millisecond, which differ from the next by its digits alone.
  const ends = Array.from(
    { length: 10_000 },
    (_, i) => `${String(i).padStart(4, "0")},${1 + (i % 4000)},7\n`,
  );
  const blocks = Array.from({ length: 100 }, (_, i) => {
    const start = `2023-11-16 ${10 + Math.floor(i / 36)}:30:00.${String(i % 36).padStart(3, "0")}`;
    return start + ends.join(start);
  });
  const text = `TIMESTAMP,ContextTokens,GeneratedTokens\n${blocks.join("")}`;
  const { trace } = read(text);
  expect([trace.promptTokens.length, trace.promptTokens[999_999]]).toEqual([1_000_000, 1 + (9999 % 4000)]);
});
