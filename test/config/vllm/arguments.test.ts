/** The command line of `vllm serve`: words as a shell makes them, flags as vLLM takes them. */
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readArguments, readNumber } from "../../../src/config/vllm/arguments.js";
import { shellWords } from "../../../src/config/vllm/shell-words.js";
import { versionOf } from "../../../src/config/vllm/version.js";
import { shellWord } from "../../../src/core/foreign-words.js";
import type { Issue } from "../../../src/core/errors.js";

describe("shellWords", () => {
  test("are those of a shell", () => {
    const lines = [
      "vllm serve org/model --max-num-seqs 64",
      "  a\tb \n c  ",
      `'a b' "c d" e'f 'g"h "i`,
      `'' "" x''`,
      String.raw`a\ b \'c\" 'd\e' "f\e \" \\ \$"`,
      "one \\\n  two\\\nthree",
      `--json '{"a": "b c", "d": [1, 2]}'`,
    ];
    for (const line of lines) {
      const script = `for word in ${line.replaceAll("\n c", "\\\n c")}; do printf '%s\\0' "$word"; done`;
      const words = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
      expect(shellWords(line), line).toEqual(words);
    }
  });

  test("any words that are quoted for a shell are read back", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom(...`ab-='"\\$\n\t é😀{}`) })), (words) => {
        expect(shellWords(words.map(shellWord).join(" "))).toEqual(words);
      }),
    );
  });

  test("an open quote is none", () => {
    for (const line of ["'a", 'a "b', `"a\\"`, "a '"]) expect(shellWords(line), line).toBeUndefined();
  });
});

test("numbers as vLLM takes them: k is 1000, K is 1024, and only the decimal ones have fractions", () => {
  for (const [text, value] of [
    ["64", 64],
    ["8k", 8000],
    ["8K", 8192],
    ["25.6k", 25_600],
    ["1.5m", 1_500_000],
    ["2M", 2_097_152],
    ["1g", 1e9],
    ["1T", 2 ** 40],
    ["8_192", 8192],
    [" 7 ", 7],
    ["0.01", 0.01],
    ["25.6K", undefined],
    ["8kk", undefined],
    ["k", undefined],
    ["-1", undefined],
    ["1e3", undefined],
    ["", undefined],
    ["auto", undefined],
  ] as const)
    expect(readNumber(text), text).toBe(value);
});

describe("readArguments", () => {
  const read = (line: string): [Record<string, unknown>, string[]] => {
    const issues: Issue[] = [];
    const facts = readArguments(line, issues);
    const values = Object.fromEntries([...facts].map(([name, { value }]) => [name, value]));
    return [values, issues.map(({ message }) => message)];
  };

  test("dashes or underscores, a space or an equals sign; the last of two counts; the program does not", () => {
    expect(
      read(
        "VAR=1 vllm serve org/model --max-num-seqs 1 --max_num_batched_tokens=8k -tp 4 -dp=2 --seed -1 --max_num_seqs=64",
      ),
    ).toEqual([
      {
        max_num_batched_tokens: "8k",
        tensor_parallel_size: "4",
        data_parallel_size: "2",
        seed: "-1",
        max_num_seqs: "64",
      },
      [],
    ]);
  });

  test("switches have no value, an opposite, or the value of older versions", () => {
    const all = {
      async_scheduling: true,
      enable_prefix_caching: false,
      enable_chunked_prefill: false,
      scheduler_reserve_full_isl: false,
    };
    expect(
      read(
        "--async-scheduling --no-enable-prefix-caching --no_enable_chunked_prefill --no-scheduler-reserve-full-isl",
      ),
    ).toEqual([all, []]);
    expect(
      read("--async-scheduling model --enable-chunked-prefill=False --enable-prefix-caching false"),
    ).toEqual([{ async_scheduling: true, enable_chunked_prefill: false, enable_prefix_caching: false }, []]);
    expect(read("-constructor x --enable-prefix-caching constructor")[0]).toEqual({
      constructor: "x",
      enable_prefix_caching: true,
    });
    expect(read("--enable-chunked-prefill=maybe")[1]).toEqual([
      "--vllm-args: invalid --enable-chunked-prefill: maybe (true or false, or no value)",
    ]);
  });

  test("a flag with parts is one flag; values in quotes, in lists and missing", () => {
    expect(
      read(
        `--speculative-config.method ngram -cc.mode=none --lora-modules a=b c=d --hf-overrides '{"x": "--y"}' --api-key`,
      ),
    ).toEqual([
      {
        speculative_config: "ngram",
        cc: "none",
        lora_modules: "a=b",
        hf_overrides: '{"x": "--y"}',
        api_key: true,
      },
      [],
    ]);
  });

  test("no words and an open quote are refused", () => {
    expect(read(" ")[1]).toEqual(["invalid --vllm-args: empty (the command line of vllm serve)"]);
    expect(read("--model 'x")[1]).toEqual([
      "invalid --vllm-args: a quote is not closed (the command line of vllm serve)",
    ]);
    expect(read("vllm serve model")).toEqual([{}, []]);
  });
});

test("versions: by when what they differ in came, and whether they compose ahead by themselves", () => {
  for (const [text, version, isAsync] of [
    ["0.8.5.post1", "0.16", false],
    ["0.13.0", "0.16", false],
    ["0.14.0", "0.16", true],
    ["0.18.2", "0.16", true],
    ["0.19.0", "0.19", true],
    ["0.19.2rc1.dev8+g4b7f5ea1a", "0.19", true],
    ["0.23.0", "0.19", true],
    ["0.24.0", "2026-08", true],
    ["v0.29.0", "2026-08", true],
    ["0.27.1+aeon.sm121a", "2026-08", true],
  ] as const)
    expect(versionOf(text), text).toEqual({ version, isAsync });
  // A build from a copy without tags says 0.1, and V1 is not in those before 0.7.
  for (const text of ["9.0.0", "v9", "1.0.0", "0.1.dev10834+gabc", "0.6.6", "dev", "", "0.x", "0.19000.1"])
    expect(versionOf(text), text).toBeUndefined();
});
