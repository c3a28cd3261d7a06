/** Journals: what was written is read back; what was torn or damaged is dropped or told, never taken for results. */
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { coreHash } from "../../src/run/core-hash.js";
import { inProcess } from "../../src/run/in-process.js";
import { headerLine, journaled, parseJournal, shardKey, shardLine } from "../../src/run/journal.js";
import { runner } from "../../src/run/runner.js";
import { shardsOf } from "../../src/run/tasks.js";
import { silent } from "../experiments/studies.js";
import { manyShards } from "./requests.js";

const header = { command: "sweep", core: "c0de", settings: { "engine.maxTokens": 2048 } };
const shards: [string, Float64Array<ArrayBuffer>][] = Array.from({ length: 30 }, (_, i) => [
  `key${i}`,
  Float64Array.from([i, 1 / 3, NaN, -0, Infinity, 1e308]),
]);
const text = headerLine(header) + shards.map(([key, values]) => shardLine(key, values)).join("");

test("what was written is read back, bit by bit", () => {
  const journal = parseJournal(text, "j");
  expect(journal).toMatchObject({ header, torn: 0, text });
  expect([...journal.shards]).toEqual(shards);
});

test("cut at every byte: whole lines are kept, the torn one is dropped", () => {
  const bytes = Buffer.from(text);
  const first = headerLine(header).length;
  for (let length = first; length <= Math.min(bytes.length, 4096); length++) {
    const cut = bytes.subarray(0, length).toString("latin1");
    const { shards: kept, torn, text: sound } = parseJournal(cut, "j");
    expect(cut.startsWith(sound)).toBe(true);
    expect(kept.size).toBe(sound.split("\n").length - 2);
    expect(torn).toBe(sound.length < cut.length ? 1 : 0);
    expect([...kept]).toEqual(shards.slice(0, kept.size));
  }
  for (const length of [0, 1, first - 1])
    expect(() => parseJournal(text.slice(0, length), "j")).toThrow(/^j:1: torn before its first line/);
});

test("a flipped bit is found: in the last line it is dropped, before it told with its line", () => {
  const bytes = Buffer.from(text);
  const last = bytes.lastIndexOf("\n", bytes.length - 2) + 1;
  for (let i = 0; i < 500; i++) {
    const at = Math.floor((i * bytes.length) / 500);
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << (i % 8);
    let kept;
    try {
      kept = parseJournal(flipped.toString("latin1"), "j");
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as Error).message).toMatch(/^j:\d+: /);
      continue;
    }
    // The end of the line before it belongs to it: without, the two are one.
    expect(at).toBeGreaterThanOrEqual(last - 1);
    expect([...kept.shards]).toEqual(shards.slice(0, kept.shards.size));
  }
});

test("a shard twice: the same result is taken, another is told with both lines", () => {
  const [key, values] = shards[3]!;
  const same = text + shardLine(key, Float64Array.from(values));
  expect(parseJournal(same, "j").shards.get(key)).toEqual(values);
  const other = text + shardLine(key, values.with(1, 1 / 4));
  expect(() => parseJournal(other, "j", "mend")).toThrow(
    "j:32: another result of shard key3 than line 5 (mend)",
  );
  expect(() => parseJournal(text + shardLine(key, values.with(3, 0)), "j")).toThrow("j:32: another result");
});

/** A line that is whole, whatever it says. */
const lineOf = (payload: string): string =>
  `${payload.length} ${crc32(payload).toString(16).padStart(8, "0")} ${payload}\n`;
test.each([
  ["no JSON", "hello"],
  ["null", "null"],
  ["a list", "[1]"],
  ["no settings", '{"llmsim":"journal","version":1,"command":"sweep","core":"c0de"}'],
  [
    "settings that are none",
    '{"llmsim":"journal","version":1,"command":"sweep","core":"c0de","settings":null}',
  ],
])("a first line that is whole and says %s is refused", (_, payload) => {
  expect(() => parseJournal(lineOf(payload), "j")).toThrow(ConfigError);
});

test.each([
  ["another kind of file", "scheduler,trials\nhybrid,3\n", /^j:1: not a line of a journal/],
  ["a later version", headerLine({ ...header, version: 2 } as typeof header), /version 2 \(this program/],
])("%s is refused", (_, bad, message) => {
  expect(() => parseJournal(bad, "j")).toThrow(message);
});

describe("an executor with a journal", () => {
  const nothing = { shards: new Map(), where: () => "" };
  test("simulates what the journal lacks, and answers the rest from it, to the same bits", async () => {
    const lines: string[] = [];
    const core = coreHash();
    const record = async (key: string, values: Float64Array<ArrayBuffer>): Promise<void> =>
      void lines.push(shardLine(key, values));
    const first = await runner(journaled(inProcess(), core, nothing, record), silent).run(manyShards);
    const half = lines.slice(0, lines.length >> 1);
    const known = { ...nothing, ...parseJournal(headerLine(header) + half.join(""), "j") };
    const counts = { kept: 0, done: 0 };
    lines.length = 0;
    const second = await runner(journaled(inProcess(), core, known, record, counts), silent).run(manyShards);
    expect(counts).toEqual({ kept: half.length, done: lines.length });
    expect(second.values).toEqual(first.values);
  });

  test("a shard is done when its line is written, and not when it is not", async () => {
    const [task] = shardsOf(manyShards, false).map((shard) => shard.task);
    let isWritten = false;
    const slowly = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      isWritten = true;
    };
    await journaled(inProcess(), "c", nothing, slowly).run(task!);
    expect(isWritten).toBe(true);
    const full = (): Promise<void> => Promise.reject(new Error("disk full"));
    await expect(journaled(inProcess(), "c", nothing, full).run(task!)).rejects.toThrow("disk full");
  });

  test("a shard of another length is no answer", async () => {
    const [task] = shardsOf(manyShards, false).map((shard) => shard.task);
    const known = {
      shards: new Map([[shardKey("c", task!), Float64Array.of(1, 2)]]),
      where: () => "j:7",
    };
    const asked = journaled(inProcess(), "c", known, async () => {}).run(task!);
    await expect(asked).rejects.toThrow(/^j:7: a shard of 2 values, expected \d+ \(without/);
  });

  test("a key is another for another task or another simulator", () => {
    const task = { seed: 1, first: 1, count: 2, configs: [], windows: [], verify: false };
    const keys = [
      shardKey("a", task),
      shardKey("b", task),
      shardKey("a", { ...task, seed: 2 }),
      shardKey("a", { ...task, first: 3 }),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(shardKey("a", { ...task })).toBe(keys[0]);
  });
});
