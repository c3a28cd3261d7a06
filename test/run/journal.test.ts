/** Journals: what was written is read back; what was torn or damaged is dropped or told, never taken for results. */
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { coreHash } from "../../src/run/core-hash.js";
import { inProcess } from "../../src/run/in-process.js";
import { headerLine, journaled, shardKey, shardLine } from "../../src/run/journal.js";
import { type Journal, readHeader, readJournal } from "../../src/run/journal-reader.js";
import { runner } from "../../src/run/runner.js";
import { shardsOf } from "../../src/run/tasks.js";
import { silent } from "../experiments/studies.js";
import { manyShards } from "./requests.js";

const header = { command: "sweep", core: "c0de", settings: { "engine.maxTokens": 2048 } };
const shards: [string, Float64Array<ArrayBuffer>][] = Array.from({ length: 30 }, (_, i) => [
  `key${i}`,
  Float64Array.from([i, 1 / 3, NaN, -0, Infinity, 1e308]),
]);
const bytes = Buffer.concat([headerLine(header), ...shards.map(([key, values]) => shardLine(key, values))]);
const first = headerLine(header).length;
const read = (given: Uint8Array, mend?: string): Promise<Journal> => readJournal([given], "j", mend);
/** The journal with more at its end. */
const and = (...more: Uint8Array[]): Buffer => Buffer.concat([bytes, ...more]);

test("what was written is read back, bit by bit", async () => {
  const journal = await read(bytes);
  expect(journal).toMatchObject({ header, torn: 0, bytes: bytes.length, records: 30 });
  expect([...journal.shards]).toEqual(shards);
});

test("in pieces of any length it is the same journal", async () => {
  const whole = await read(and(Buffer.from("12 torn")));
  for (const length of [1, 2, 7, 64, 1000, 5000]) {
    const pieces = function* (): Generator<Uint8Array> {
      const piece = Buffer.alloc(length); // the same bytes each time, as a reader may hand them over
      const all = and(Buffer.from("12 torn"));
      for (let at = 0; at < all.length; at += length)
        yield piece.subarray(0, all.copy(piece, 0, at, at + length));
    };
    expect(await readJournal(pieces(), "j")).toEqual(whole);
  }
});

test("a shard longer than what becomes text at once", async () => {
  const many = Float64Array.from({ length: 900_001 }, (_, i) => i / 7);
  const found = (await read(and(shardLine("many", many)))).shards.get("many")!;
  expect(Buffer.from(found.buffer).equals(Buffer.from(many.buffer))).toBe(true);
});

test("cut at every byte: whole lines are kept, the torn one is dropped", async () => {
  for (let length = first; length <= Math.min(bytes.length, 4096); length++) {
    const { shards: kept, torn, bytes: sound } = await read(bytes.subarray(0, length));
    expect(bytes[sound - 1]).toBe(10);
    expect(bytes.subarray(sound, length).includes(10)).toBe(false);
    expect(torn).toBe(sound < length ? 1 : 0);
    expect([...kept]).toEqual(shards.slice(0, kept.size));
    expect(bytes.subarray(0, sound).filter((byte) => byte === 10)).toHaveLength(kept.size + 1);
  }
  for (const length of [0, 1, first - 1])
    await expect(read(bytes.subarray(0, length))).rejects.toThrow(/^j:1: torn before its first line/);
});

test("a flipped bit is found: in the last line it is dropped, before it told with its line", async () => {
  const last = bytes.lastIndexOf("\n", bytes.length - 2) + 1;
  for (let i = 0; i < 500; i++) {
    const at = Math.floor((i * bytes.length) / 500);
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << (i % 8);
    let kept;
    try {
      kept = await read(flipped);
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

test("a shard twice: the same result is taken, another is told with both lines", async () => {
  const [key, values] = shards[3]!;
  const same = and(shardLine(key, Float64Array.from(values)));
  expect((await read(same)).shards.get(key)).toEqual(values);
  const other = and(shardLine(key, values.with(1, 1 / 4)));
  await expect(read(other, "mend")).rejects.toThrow("j:32: another result of shard key3 than line 5 (mend)");
  await expect(read(and(shardLine(key, values.with(3, 0))))).rejects.toThrow("j:32: another result");
});

/** A line that is whole, whatever it says. */
const lineOf = (payload: string): Buffer =>
  Buffer.from(`${payload.length} ${crc32(payload).toString(16).padStart(8, "0")} ${payload}\n`);
test.each([
  ["no JSON", "hello"],
  ["null", "null"],
  ["a list", "[1]"],
  ["no settings", '{"llmsim":"journal","version":1,"command":"sweep","core":"c0de"}'],
  [
    "settings that are none",
    '{"llmsim":"journal","version":1,"command":"sweep","core":"c0de","settings":null}',
  ],
])("a first line that is whole and says %s is refused", async (_, payload) => {
  await expect(read(lineOf(payload))).rejects.toThrow(ConfigError);
});

test.each([
  ["no values", "key"],
  ["what is no base64", "key !!!!"],
  ["base64 that none would write", "key AAAAAAAAAAB="],
  ["half a number", "key AAAAAA=="],
])("a line that is whole and says %s is refused", async (_, payload) => {
  await expect(read(and(lineOf(payload)))).rejects.toThrow("j:32: not the values of a shard");
});

test.each([
  ["another kind of file", Buffer.from("scheduler,trials\nhybrid,3\n"), /^j:1: not a line of a journal/],
  ["a later version", headerLine({ ...header, version: 2 } as typeof header), /version 2 \(this program/],
])("%s is refused", async (_, bad, message) => {
  await expect(read(bad)).rejects.toThrow(message);
});

describe("of a file without end", () => {
  const endless = function* (start: Uint8Array): Generator<Uint8Array> {
    yield start;
    for (let i = 0; i < 100; i++) yield new Uint8Array(100);
    throw new Error("read on");
  };
  test("no more is read than it takes to see that it is none", async () => {
    const none = /^j:1: not a line of a journal/;
    await expect(readJournal(endless(new Uint8Array(0)), "j")).rejects.toThrow(none);
    await expect(readJournal(endless(Buffer.from("60 01234567 {")), "j")).rejects.toThrow(none);
    await expect(readJournal(endless(Buffer.from("9999999999 01234567 {")), "j")).rejects.toThrow(none);
    const damaged = endless(and(Buffer.from("damaged\n")));
    await expect(readJournal(damaged, "j")).rejects.toThrow(/^j:32: not a line of a journal/);
  });
  test("for its first line no more than that", async () => {
    const slowly = async function* (): AsyncGenerator<Uint8Array> {
      yield* endless(headerLine(header));
    };
    expect(await readHeader(slowly(), "j")).toMatchObject(header);
  });
});

describe("an executor with a journal", () => {
  const nothing = { shards: new Map(), where: () => "" };
  test("simulates what the journal lacks, and answers the rest from it, to the same bits", async () => {
    const lines: Uint8Array[] = [];
    const core = coreHash();
    const record = async (key: string, values: Float64Array<ArrayBuffer>): Promise<void> =>
      void lines.push(shardLine(key, values));
    const first = await runner(journaled(inProcess(), core, nothing, record), silent).run(manyShards);
    const half = lines.slice(0, lines.length >> 1);
    const known = { ...nothing, ...(await readJournal([headerLine(header), ...half], "j")) };
    const counts = { kept: 0, done: 0 };
    lines.length = 0;
    const second = await runner(journaled(inProcess(), core, known, record, counts), silent).run(manyShards);
    expect(counts).toEqual({ kept: half.length, done: lines.length });
    expect(second.values).toEqual(first.values);
  });

  test("a shard is done when its line is written, and not when it is not", async () => {
    const [task] = shardsOf(manyShards, {}).map((shard) => shard.task);
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
    const [task] = shardsOf(manyShards, {}).map((shard) => shard.task);
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
