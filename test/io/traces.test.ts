/** Trace files: each format read exactly, each fault told with file, line and column, and a million rows quickly. */
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { type LoadedTrace, readTrace, TRACE_FORMATS, type TraceOptions } from "../../src/io/trace-reader.js";

/** The bytes of a text, in pieces of that length. */
async function* bytesOf(text: string | Uint8Array, piece = 64): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}
const read = (text: string | Uint8Array, options: Partial<TraceOptions> = {}): Promise<LoadedTrace> =>
  readTrace(bytesOf(text), "t.csv", { use: "replay", ...options });
async function issuesOf(text: string | Uint8Array, options: Partial<TraceOptions> = {}): Promise<string[]> {
  try {
    await read(text, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ message }) => message);
    throw error;
  }
  return [];
}
const table = async (text: string | Uint8Array, options: Partial<TraceOptions> = {}): Promise<unknown> => {
  const { trace, format } = await read(text, options);
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
{"timestamp": 30536, "input_length": 1, "output_length": 0}
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

const NAMES = TRACE_FORMATS.map(({ name }) => name).join(", ");

describe("formats", () => {
  test("Azure: seven digits, across midnight", async () => {
    expect(await table(AZURE)).toEqual(["azure", [0, 100, 123_456_800], [374, 396, 879], [44, 109, 0]]);
  });

  test("Mooncake: JSON lines in ms", async () => {
    expect(await table(MOONCAKE)).toEqual(["mooncake", [0, 3_053e6, 3_054e6], [6955, 6472, 1], [52, 26, 0]]);
  });

  test("BurstGPT: columns by name in any order, failed requests left out and counted", async () => {
    expect(await table(BURSTGPT)).toEqual(["burstgpt", [0, 113.5e9], [472, 417], [18, 276]]);
    expect((await read(BURSTGPT)).leftOut).toBe(1);
    const older =
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,x,1,2,3,y\n6,x,4,5,9,y\n";
    expect(await table(older)).toEqual(["burstgpt", [0, 1e9], [1, 4], [2, 5]]);
  });

  test("our own, with what a prefix cache held and priorities", async () => {
    expect(await table(OWN)).toEqual(["llmsim", [0, 0, 1_500_000_001], [100, 7, 9], [20, 3, 0]]);
    const { trace } = await read(OWN);
    expect([[...trace.prefixHitTokens!], [...trace.priority!]]).toEqual([
      [64, 0, 9],
      [1, -2, 0],
    ]);
    expect((await read(AZURE)).trace.prefixHitTokens).toBeUndefined();
  });

  test("lengths alone: no instants are needed nor read", async () => {
    const vidur =
      "num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n10,2,12,5.0\n20,4,24,5.0\n";
    expect(await table(vidur, { use: "lengths" })).toEqual(["vidur", null, [10, 20], [2, 4]]);
    expect(await issuesOf(vidur)).toEqual([
      "t.csv: no instants (arrived_at): it lists lengths alone (--lengths-from takes them, with arrivals by --lam)",
    ]);
    expect(await table("output_tokens,prompt_tokens\n3,1\n", { use: "lengths" })).toEqual([
      "llmsim",
      null,
      [1],
      [3],
    ]);
    expect(await table(AZURE, { use: "lengths" })).toEqual(["azure", null, [374, 396, 879], [44, 109, 0]]);
  });

  test("CSV or JSON lines, whatever the names", async () => {
    expect(await table("timestamp,input_length,output_length\n5,1,2\n7,3,4\n")).toEqual([
      "mooncake",
      [0, 2e6],
      [1, 3],
      [2, 4],
    ]);
    expect(await table('{"arrival_s": 1, "prompt_tokens": 5, "output_tokens": 6}\n')).toEqual([
      "llmsim",
      [0],
      [5],
      [6],
    ]);
  });

  test("each says what it is", () => {
    for (const { name, summary, source } of TRACE_FORMATS) {
      expect(name).toMatch(/^[a-z]+\d?(-[a-z]+)*$/);
      expect([summary, source].every((text) => text.length > 5)).toBe(true);
    }
  });

  test("columns are in memory that threads share", async () => {
    const { trace } = await read(OWN);
    for (const column of [trace.arrivedAt!, trace.promptTokens, trace.priority!])
      expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});

describe("what does not matter", () => {
  test.each([
    ["CRLF", AZURE.replaceAll("\n", "\r\n")],
    ["blank lines", AZURE.replaceAll("\n", "\n\n")],
    ["no line break at the end", AZURE.trimEnd()],
    ["spaces round cells", AZURE.replaceAll(",", " , ")],
    ["quotes", AZURE.replaceAll(/([^,\n]+)/g, '"$1"')],
    ["more columns", AZURE.replaceAll("\n", ",x\n").replaceAll(",x\n2023", ",1\n2023")],
  ])("%s", async (_, text) => expect(await table(text)).toEqual(await table(AZURE)));

  test("a byte order mark", async () => {
    for (const text of [AZURE, MOONCAKE, `[${MOONCAKE.trim().replaceAll("\n", ",")}]`])
      expect(await table(`\ufeff${text}`)).toEqual(await table(text));
  });
});

describe("the key names the data", () => {
  const keyOf = async (text: string, options: Partial<TraceOptions> = {}): Promise<string> =>
    (await read(text, options)).trace.key;
  test("the same rows, the same key; anything else, another", async () => {
    const keys = await Promise.all([
      keyOf(AZURE),
      keyOf(AZURE.replace("374", "375")),
      keyOf(AZURE.replace("0.0000000", "0.0000001")),
      keyOf(AZURE, { limit: 2 }),
      keyOf(AZURE, { clipPrompt: 400 }),
      keyOf(AZURE, { use: "lengths" }),
      keyOf(OWN),
      keyOf(OWN.replace(",64,", ",63,")),
      keyOf(OWN.replace(",priority", ",other")),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{16}$/);
    expect(await keyOf(AZURE.replaceAll("\n", "\r\n"))).toBe(keys[0]);
    expect(await keyOf(AZURE, { limit: 3 })).toBe(keys[0]);
  });
});

test("a limit takes the first requests that count, a clip cuts prompts and what a cache held of them", async () => {
  expect(await table(BURSTGPT, { limit: 2 })).toEqual(["burstgpt", [0, 113.5e9], [472, 417], [18, 276]]);
  expect(await table(BURSTGPT, { limit: 1 })).toEqual(["burstgpt", [0], [472], [18]]);
  const clipped = await read(OWN, { clipPrompt: 8 });
  expect([[...clipped.trace.promptTokens], [...clipped.trace.prefixHitTokens!], clipped.clipped]).toEqual([
    [8, 7, 8],
    [8, 0, 8],
    2,
  ]);
});

describe("numbers as programs write them", () => {
  test("5.0 is 5, in CSV and in JSON, and JSON may quote numbers", async () => {
    const expected = ["llmsim", [0, 1_500_000_000], [5, 7], [3, 0]];
    const csv = "arrival_s,prompt_tokens,output_tokens\n1.0,5.0,3.\n2.50,7.000,0.0\n";
    const json =
      '{"arrival_s": "1", "prompt_tokens": "5.0", "output_tokens": 3.0}\n{"arrival_s": 2.5, "prompt_tokens": 7, "output_tokens": "0"}\n';
    expect(await table(csv)).toEqual(expected);
    expect(await table(json)).toEqual(expected);
  });

  test.each(["5.5", "5.01", "5.0e0", "5,0", "0x5", " ", "5.0.0"])(
    "%j is no count of tokens",
    async (text) => {
      const json = JSON.stringify({ arrival_s: 1, prompt_tokens: text, output_tokens: 1 });
      expect(await issuesOf(json)).toHaveLength(1);
    },
  );
});

test("nanoseconds since 1970, which no double holds, are exact in JSON", async () => {
  const line = (ns: string): string =>
    `{"note": "arrival_time_ns:", "arrival_time_ns" : ${ns}, "input_toks": 1, "output_toks": 2}`.replace(
      " :",
      ":",
    );
  const text = ["1759813207532900363", "1759813207532900364", "1759813207532900901"].map(line).join("\n");
  expect(await table(text)).toEqual(["llmservingsim", [0, 1, 538], [1, 1, 1], [2, 2, 2]]);
});

describe("JSON over several lines", () => {
  const objects = MOONCAKE.trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  test.each([
    ["an array in one line", JSON.stringify(objects)],
    ["an array, indented", JSON.stringify(objects, null, 2)],
    ["objects one after the other, indented", objects.map((one) => JSON.stringify(one, null, 2)).join("\n")],
  ])("%s", async (_, text) => expect(await table(text)).toEqual(await table(MOONCAKE)));

  test("faults are told with the line that the object begins in", async () => {
    const text = JSON.stringify(
      [...objects, { timestamp: 40000, input_length: 0, output_length: 1 }, 7],
      null,
      1,
    );
    expect(await issuesOf(text)).toEqual([
      't.csv:24: invalid input_length: "0" (an integer at least 1 and at most 2147483647)',
      "t.csv:29: not a JSON object",
    ]);
    expect(await issuesOf(text.slice(0, 300))).toEqual([
      "t.csv:24: JSON that does not end: the file is cut off",
    ]);
    expect(await issuesOf("[]")).toEqual(["t.csv: empty (a header and rows, or JSON)"]);
    expect(await issuesOf("[1, 2]")).toEqual(["t.csv:1: not a JSON object"]);
    expect(await issuesOf("{} {")).toEqual([expect.stringMatching(/^unknown trace format: t\.csv has:/)]);
  });
});

describe("units", () => {
  const named = (...instants: readonly (number | string)[]): string =>
    instants.map((at) => JSON.stringify({ timestamp: at, input_length: 5, output_length: 6 })).join("\n");
  const spanOf = async (text: string, options: Partial<TraceOptions> = {}): Promise<unknown[]> => {
    const { seconds, unit, notes } = await read(text, options);
    return [seconds, unit, notes];
  };

  test("of Mooncake's form: seconds where there is a fraction, ms where all are whole", async () => {
    expect(await spanOf(named(61.114, 62.614, 71.114))).toEqual([10, "s", []]);
    expect(await spanOf(named(61, 62.614, 71))).toEqual([10, "s", []]);
    expect(await spanOf(named(61114, 62614, 71114))).toEqual([10, "ms", []]);
    expect(await spanOf(named("61114.0", "71114.000"))).toEqual([10, "ms", []]);
  });

  test("of Bailian's, which have a chat_id, always seconds", async () => {
    const chats = named(61, 62, 71).replaceAll("{", '{"chat_id": 7, "parent_chat_id": -1, "turn": 1, ');
    expect(await spanOf(chats)).toEqual([10, "s", []]);
    expect(await issuesOf(chats, { format: "mooncake" })).toEqual([
      expect.stringMatching(/^t\.csv:1: not mooncake: it has chat_id \(t\.csv has: chat_id, /),
    ]);
  });

  test("or the one that was asked for", async () => {
    expect(await spanOf(named(61.114, 71.114), { unit: "ms" })).toEqual([0.01, "ms", []]);
    expect(await spanOf(named(61, 71), { unit: "s" })).toEqual([10, "s", []]);
    expect(await spanOf(named(61, 71), { unit: "us" })).toEqual([
      1e-5,
      "us",
      ["200000 requests per s: are its instants in us? (--trace-unit)"],
    ]);
    expect(await spanOf(OWN, { unit: "ms" })).toEqual([0.0015, "ms", [expect.stringContaining("per s")]]);
    expect(await issuesOf(AZURE, { unit: "s" })).toEqual([
      "--trace-unit: the instants of azure files are times of day",
    ]);
  });

  test("above 1000 per s a unit is doubted", async () => {
    expect(await spanOf(named(0, 1, 2))).toEqual([
      0.002,
      "ms",
      ["1500 requests per s: are its instants in ms? (--trace-unit)"],
    ]);
    expect((await spanOf(named(0, 1000, 2000)))[2]).toEqual([]);
  });

  test("a fraction below a thousand whole numbers is not guessed at", async () => {
    const whole = Array.from({ length: 1000 }, (_, i) => i);
    expect(await spanOf(named(...whole.slice(1), 1000.5))).toEqual([999.5, "s", []]);
    expect(await issuesOf(named(...whole, 1000.5))).toEqual([
      't.csv:1001: ambiguous timestamp: "1000.5" (a fraction, which means seconds, below many whole numbers, which mean ms; --trace-unit s or ms)',
    ]);
    expect((await spanOf(named(...whole, 1000.5), { unit: "s" })).slice(0, 2)).toEqual([1000.5, "s"]);
    expect((await spanOf(named(...whole, 1000.5), { limit: 10 })).slice(0, 2)).toEqual([0.009, "ms"]);
  });
});

describe("the order, and a window", () => {
  const csv = (...instants: readonly number[]): string =>
    `arrival_s,prompt_tokens,output_tokens,priority\n${instants.map((at, i) => `${at},${i + 1},${10 * i},${i}\n`).join("")}`;
  const shuffled = csv(7, 3, 5, 3, 9);

  test("rows out of order are refused, the first of them named, or put into order", async () => {
    expect(await issuesOf(shuffled)).toEqual([
      't.csv:3: invalid arrival_s: "3" (not before the request above, "7"; --sort puts rows in order)',
    ]);
    const { trace, notes } = await read(shuffled, { sort: true });
    expect([[...trace.arrivedAt!], [...trace.promptTokens], [...trace.priority!]]).toEqual([
      [0, 0, 2e9, 4e9, 6e9],
      [2, 4, 3, 1, 5],
      [1, 3, 2, 0, 4],
    ]);
    expect(notes).toEqual(["its rows were not in the order of their instants, and have been put into it"]);
    expect((await read(csv(1, 1, 2), { sort: true })).notes).toEqual([]);
    expect((await read(shuffled, { use: "lengths" })).requests).toBe(5);
  });

  test("a window counts from the first request, and what is in it from its own first", async () => {
    const sorted = csv(100, 103, 105, 105, 109, 112);
    const of = async (options: Partial<TraceOptions>, text = sorted): Promise<unknown> => {
      const { trace, seconds } = await read(text, options);
      return [
        trace.arrivedAt && [...trace.arrivedAt].map((at) => at / 1e9),
        [...trace.promptTokens],
        seconds,
      ];
    };
    expect(await of({ from: 3, to: 9 })).toEqual([[0, 2, 2], [2, 3, 4], 2]);
    expect(await of({ from: 3.000000001 })).toEqual([[0, 0, 4, 7], [3, 4, 5, 6], 7]);
    expect(await of({ to: 5 })).toEqual([[0, 3], [1, 2], 3]);
    expect(await of({ from: 3, limit: 2 })).toEqual([[0, 2], [2, 3], 2]);
    expect(await of({ from: 3, to: 9, use: "lengths" })).toEqual([null, [2, 3, 4], NaN]);
    expect(await of({ from: 2, to: 5, sort: true }, shuffled)).toEqual([[0, 2], [3, 1], 2]);
    expect(await of({ limit: 3, sort: true }, shuffled)).toEqual([[0, 0, 2], [2, 4, 3], 2]);
    expect(await of({ from: 2, use: "lengths", sort: true }, shuffled)).toEqual([null, [3, 1, 5], NaN]);
  });

  test("an empty one is told, and one of a file without instants", async () => {
    expect(await issuesOf(csv(1, 2, 5), { from: 2, to: 3 })).toEqual([
      "t.csv: no request from 2 s to 3 s (those read span 4 s)",
    ]);
    expect(await issuesOf(csv(1, 2, 5), { from: 60 })).toEqual([
      "t.csv: no request from 60 s (those read span 4 s)",
    ]);
    expect(await issuesOf("output_tokens,prompt_tokens,arrived_at\n3,1,2\n", { from: 2 })).toEqual([
      "t.csv:1: missing column: arrival_s (llmsim; t.csv has: output_tokens, prompt_tokens, arrived_at)",
    ]);
    expect(
      await issuesOf("num_prefill_tokens,num_decode_tokens\n3,1\n", { use: "lengths", sort: true }),
    ).toEqual(["t.csv: no instants, so there is nothing to choose by --from, --to or --sort"]);
  });

  test("failed requests before the window's first do not matter, sorted or not", async () => {
    expect((await read(BURSTGPT, { from: 50 })).trace.promptTokens).toEqual(Int32Array.of(417));
    expect((await read(BURSTGPT, { from: 50, sort: true })).trace.promptTokens).toEqual(Int32Array.of(417));
  });
});

test("inference-sim's rows: when they were sent, the prefix of their group, what the server counted", async () => {
  const columns =
    "prefix_group,prefix_length,input_tokens,output_tokens,server_input_tokens,arrival_time_us,send_time_us,status,vllm_priority";
  const of = async (...rows: readonly string[]): Promise<unknown> => {
    const { trace, leftOut } = await read(`${columns}\n${rows.join("\n")}\n`);
    return [[...trace.arrivedAt!], [...trace.promptTokens], [...trace.priority!], leftOut];
  };
  const rows = [
    "g,100,20,1,130,5,0,ok,3",
    ",0,20,1,25,6,9,ok,",
    ",0,20,1,0,7,8,,0",
    "g,0,20,1,25,20,-1,ok,1",
    ",0,20,1,0,8,8,timeout,1",
  ];
  expect(await of(...rows)).toEqual([[0, 3000, 4000, 15000], [120, 20, 25, 20], [3, 0, 0, 1], 1]);
  expect(await issuesOf(`${columns}\ng,100,x,1,0,5,0,ok,\n`)).toEqual([
    "t.csv:2: invalid input_tokens: x (an integer at least 1 and at most 2147483647)",
  ]);
});

describe("files of a program that hold no requests say what to do", () => {
  test.each<[string, object, string]>([
    [
      "LLMServingSim's sessions",
      { session_id: "a", arrival_time_ns: 1, sub_requests: [{ input_toks: 1, output_toks: 2 }] },
      "sessions whose calls wait for each other are not read (only requests with input_toks of their own)",
    ],
    [
      "aiperf's summary",
      { request_throughput: { avg: 1 }, request_latency: { avg: 2 }, input_config: {} },
      "a summary of aiperf (profile_export.jsonl beside it has the requests)",
    ],
    [
      "inference-perf's summary",
      { load_summary: { count: 3 }, successes: { count: 2 }, failures: { count: 1 } },
      "a summary of inference-perf (per_request_lifecycle_metrics.json has the requests: report.request_lifecycle.per_request: true)",
    ],
    [
      "vLLM's result",
      { num_prompts: 5, request_throughput: 1, total_input_tokens: 7, mean_ttft_ms: 9 },
      "a result of vllm bench serve without its requests (--save-detailed writes them)",
    ],
    [
      "sglang's result",
      { total_output_tokens_retokenized: 5, request_throughput: 1, total_input_tokens: 7 },
      "a result of sglang's bench_serving without its requests (--output-details writes them)",
    ],
  ])("%s", async (_, value, instead) => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)])
      expect(await issuesOf(text)).toEqual([`t.csv: no requests in it: ${instead}`]);
  });
});

describe("benchmarks", () => {
  const vllm = (start: number, ...more: readonly object[]): object =>
    Object.assign(
      {
        num_prompts: 2,
        input_lens: [5, 7],
        output_lens: [3, 2],
        start_times: [start, start + 1.5],
        errors: ["", ""],
      },
      ...more,
    ) as object;
  const lines = (...values: readonly object[]): string =>
    values.map((one) => `${JSON.stringify(one)}\n`).join("");

  test("of several runs one is read, the one that is asked for", async () => {
    const text = lines(vllm(10), vllm(500, { input_lens: [50, 70] }), vllm(900));
    expect(await issuesOf(text)).toEqual([
      "t.csv: 3 runs, each at a load of its own (--trace-run 1 reads the first of them)",
    ]);
    expect(await issuesOf(text, { limit: 1, use: "lengths" })).toHaveLength(1);
    expect(await table(text, { run: 2 })).toEqual(["vllm", [0, 1.5e9], [50, 70], [3, 2]]);
    expect(await table(text, { run: 1, limit: 1 })).toEqual(["vllm", [0], [5], [3]]);
    expect(await issuesOf(text, { run: 4 })).toEqual(["t.csv: no run 4 (the file holds 3 runs)"]);
    expect(await issuesOf(lines(vllm(10)), { run: 2 })).toEqual(["t.csv: no run 2 (the file holds 1 run)"]);
    const array = JSON.stringify([vllm(10), vllm(500)]);
    expect(await table(array, { run: 2 })).toEqual(["vllm", [0, 1.5e9], [5, 7], [3, 2]]);
  });

  test("requests are put into the order in which they were sent, and a window is theirs", async () => {
    const text = lines(vllm(0, { start_times: [9, 4] }));
    expect(await table(text)).toEqual(["vllm", [0, 5e9], [7, 5], [2, 3]]);
    expect(await table(text, { to: 5 })).toEqual(["vllm", [0], [7], [2]]);
    expect((await read(text)).notes).toEqual([]);
  });

  test("faults are told by the request", async () => {
    expect(await issuesOf(lines(vllm(0, { input_lens: [5, 0], start_times: ["x", 1] })))).toEqual([
      "t.csv:1: request 1: invalid start_times: x (a number of seconds at least 0)",
      't.csv:1: request 2: invalid input_lens: "0" (an integer at least 1 and at most 2147483647)',
    ]);
    expect(await issuesOf(lines(vllm(0, { output_lens: [5] })))).toEqual([
      "t.csv:1: input_lens lists 2 requests, output_lens 1 (each has a value in each list)",
    ]);
    expect(await issuesOf(lines(vllm(0, { output_lens: 7 })))).toEqual([
      "t.csv:1: invalid output_lens: not a list",
    ]);
    expect(await issuesOf(lines(vllm(0, { errors: ["a", "b"] })))).toEqual([
      "t.csv: no request: all 2 of them failed",
    ]);
    expect(await issuesOf(lines(vllm(0, { start_times: undefined })))).toEqual([
      "t.csv: no instants (start_times): it lists lengths alone (--lengths-from takes them, with arrivals by --lam)",
    ]);
  });

  test("guidellm: a run a benchmark, faults by their place, and no rate from a sample", async () => {
    const benchmark = (starts: readonly (number | undefined)[], successful = starts.length): object => ({
      metrics: { request_totals: { successful } },
      requests: {
        successful: starts.map((start, i) => ({
          prompt_tokens: 5 + i,
          output_tokens: 6,
          info: { timings: { request_start: start } },
        })),
      },
    });
    const report = (...benchmarks: readonly object[]): string => JSON.stringify({ benchmarks }, null, 2);
    expect(await table(report(benchmark([1]), benchmark([7, 9])), { run: 2 })).toEqual([
      "guidellm",
      [0, 2e9],
      [5, 6],
      [6, 6],
    ]);
    expect(await issuesOf(report(benchmark([1]), benchmark([7])))).toHaveLength(1);
    expect(await issuesOf(report(benchmark([1, undefined])))).toEqual([
      "t.csv:1: benchmarks[0].requests.successful[1]: missing request_start_time (a number of seconds at least 0)",
    ]);
    const sample = report(benchmark([1, 2], 480));
    expect(await issuesOf(sample)).toEqual([
      "t.csv:1: holds 2 of its run's 480 requests (--lengths-from takes their lengths)",
    ]);
    expect(await table(sample, { use: "lengths" })).toEqual(["guidellm", null, [5, 6], [6, 6]]);
    expect(await issuesOf('{"benchmarks": 7}')).toEqual(["t.csv:1: invalid benchmarks: not a list"]);
  });
});

describe("prefix blocks", () => {
  const BLOCK = 512;
  const lines = (...rows: readonly (readonly [prompt: number, hashes: readonly number[]])[]): string =>
    rows
      .map(([prompt, hash_ids], i) =>
        JSON.stringify({ timestamp: 1000 * i, input_length: prompt, output_length: 1, hash_ids }),
      )
      .join("\n");
  const notesOf = async (text: string, options: Partial<TraceOptions> = {}): Promise<readonly string[]> =>
    (await read(text, options)).notes;
  const told = "prefix hits are not derived from hash_ids: every prompt is computed whole";

  test("the share that an unlimited cache would hit: leading blocks that were there before", async () => {
    const text = lines(
      [3 * BLOCK + 100, [1, 2, 3, 4]], // nothing there
      [2 * BLOCK + 9, [1, 2, 5]], // 1, 2
      [2 * BLOCK, [6, 2]], // 2 is there, but behind 6
      [3 * BLOCK + 100, [1, 2, 3, 4]], // all of it
    );
    const hit = 2 * BLOCK + (3 * BLOCK + 100);
    const all = 2 * (3 * BLOCK + 100) + (2 * BLOCK + 9) + 2 * BLOCK;
    const share = ((100 * hit) / all).toFixed(1);
    expect(await notesOf(text)).toEqual([
      `${told}; a cache that forgets nothing would hit ${share} % of the prompt tokens`,
    ]);
    // The first request of the window finds nothing.
    expect(await notesOf(text, { from: 3 })).toEqual([
      `${told}; a cache that forgets nothing would hit 0.0 % of the prompt tokens`,
    ]);
  });

  test("is not told where blocks are not of one size, or rows were sorted", async () => {
    expect(await notesOf(lines([1000, [1, 2]], [10, [1, 2, 3, 4]]))).toEqual([told]);
    expect(await notesOf(lines([1000, [1, 2]]), { sort: true })).toEqual([told]);
    expect(await notesOf(lines([1000, [1, 2]]), { use: "lengths" })).toEqual([]);
  });

  test("nor where the file has the hits", async () => {
    const text = lines([1000, [1, 2]]).replace("}", ', "prefix_hit_tokens": 512}');
    expect(await notesOf(text)).toEqual([]);
    expect([...(await read(text)).trace.prefixHitTokens!]).toEqual([512]);
  });
});

describe("faults", () => {
  test.each<[string, string, string[]]>([
    ["an empty file", "", ["t.csv: empty (a header and rows, or JSON)"]],
    ["a header alone", "arrival_s,prompt_tokens,output_tokens\n", ["t.csv: no request (at least one row)"]],
    [
      "only failed requests",
      "Timestamp,Request tokens,Response tokens\n1,2,0\n2,3,0\n",
      ["t.csv: no request: all 2 of them failed"],
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
      [
        't.csv:3: invalid arrival_s: "4.999999999" (not before the request above, "5"; --sort puts rows in order)',
      ],
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
        "t.csv:7: invalid prompt_tokens: many (an integer at least 1 and at most 2147483647)",
        't.csv:7: invalid output_tokens: "" (an integer at least 0 and at most 2147483647)',
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
      "JSON with a key missing, or what is no number",
      '{"timestamp": 1, "input_length": 5, "output_length": 6}\n{"timestamp": true, "input_length": [5]}\n',
      [
        "t.csv:2: invalid timestamp: true (a number of milliseconds at least 0)",
        "t.csv:2: invalid input_length: [5] (an integer at least 1 and at most 2147483647)",
        "t.csv:2: missing output_length (an integer at least 0 and at most 2147483647)",
      ],
    ],
    [
      "longer than the clock counts",
      "arrival_s,prompt_tokens,output_tokens\n1,1,1\n9007201,1,1\n",
      ['t.csv:3: invalid arrival_s: "9007201" (at most 104 days after the first request)'],
    ],
  ])("%s", async (_, text, expected) => expect(await issuesOf(text)).toEqual(expected));

  test("a file of no known format is shown all of them", async () => {
    const [message, ...rest] = await issuesOf("a,b,c\n1,2,3\n");
    expect(rest).toEqual([]);
    expect(message).toMatch(
      /^unknown trace format: t\.csv has: a, b, c \(one of: aiperf: .*; azure: TIMESTAMP, /,
    );
    for (const { name } of TRACE_FORMATS) expect(message).toContain(`${name}: `);
  });

  test("a format that was asked for is held to its columns; a name that is none is refused", async () => {
    expect(await issuesOf(AZURE, { format: "burstgpt" })).toEqual(
      ["Timestamp", "Request tokens", "Response tokens"].map(
        (column) =>
          `t.csv:1: missing column: ${column} (burstgpt; t.csv has: TIMESTAMP, ContextTokens, GeneratedTokens)`,
      ),
    );
    expect(await issuesOf(AZURE, { format: "azur" })).toEqual([
      `invalid --trace-format: azur (one of: ${NAMES}) — did you mean azure?`,
    ]);
  });

  test("of many faults ten are shown and the rest are counted", async () => {
    const text = `arrival_s,prompt_tokens,output_tokens\n${"1,0,1\n".repeat(1234)}`;
    const issues = await issuesOf(text);
    expect(issues.length).toBe(11);
    expect(issues[9]).toMatch(/^t\.csv:11: /);
    expect(issues[10]).toBe("t.csv: … and 1224 more");
  });
});

test("a hundred thousand rows are read, a million with LLMSIM_LONG=1", async () => {
  const parts = process.env.LLMSIM_LONG === "1" ? 100 : 10;
  // Ten thousand rows a millisecond, which differ from the next by its digits alone.
  const ends = Array.from(
    { length: 10_000 },
    (_, i) => `${String(i).padStart(4, "0")},${1 + (i % 4000)},7\n`,
  );
  const blocks = Array.from({ length: parts }, (_, i) => {
    const start = `2023-11-16 ${10 + Math.floor(i / 36)}:30:00.${String(i % 36).padStart(3, "0")}`;
    return start + ends.join(start);
  });
  const text = `TIMESTAMP,ContextTokens,GeneratedTokens\n${blocks.join("")}`;
  const { trace } = await readTrace(bytesOf(text, 1 << 16), "t.csv", { use: "replay" });
  const count = parts * 10_000;
  expect([trace.promptTokens.length, trace.promptTokens[count - 1]]).toEqual([count, 1 + (9999 % 4000)]);
});
