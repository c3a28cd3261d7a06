/** Trace files as bytes: no more is read than needed, what has no end is stopped, and each failure is called what it is. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { FileError } from "../../src/io/files.js";
import { type LoadedTrace, readTrace, type TraceOptions } from "../../src/io/trace-reader.js";
import { type Limits, LIMITS } from "../../src/io/trace-source.js";

const HEADER = "arrival_s,prompt_tokens,output_tokens\n";
const REPLAY: TraceOptions = { use: "replay" };

/** A source that counts what is taken of it, and knows whether it was closed. */
function source(pieces: Iterable<Uint8Array | string>): AsyncIterable<Uint8Array> & {
  readonly taken: () => number;
  readonly isClosed: () => boolean;
} {
  let taken = 0;
  let isClosed = false;
  async function* run(): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of pieces) {
        taken++;
        yield Buffer.from(piece as string);
      }
    } finally {
      isClosed = true;
    }
  }
  const iterator = run();
  return { [Symbol.asyncIterator]: () => iterator, taken: () => taken, isClosed: () => isClosed };
}
const read = (
  pieces: Iterable<Uint8Array | string>,
  options: TraceOptions = REPLAY,
  limits: Partial<Limits> = {},
): Promise<LoadedTrace> => readTrace(source(pieces), "t.csv", options, { ...LIMITS, ...limits });
async function issuesOf(
  pieces: Iterable<Uint8Array | string>,
  options: TraceOptions = REPLAY,
  limits: Partial<Limits> = {},
): Promise<string[]> {
  const error: unknown = await read(pieces, options, limits).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ConfigError) return error.issues.map(({ message }) => message);
  if (error instanceof FileError) return [error.message];
  throw error;
}

function* endless(piece: (i: number) => string): Generator<string> {
  for (let i = 0; ; i++) yield piece(i);
}
function* after(start: string, rest: Iterable<string>): Generator<string> {
  yield start;
  yield* rest;
}
const rows = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `${from + i},5,7\n`).join("");
const endlessRows = (): Iterable<string> =>
  after(
    HEADER,
    endless((i) => rows(1000 * i, 1000)),
  );

describe("reading ends", () => {
  test("with the requests that are wanted, and closes the file", async () => {
    for (const options of [
      { ...REPLAY, limit: 1500 },
      { ...REPLAY, to: 1500 },
      { ...REPLAY, from: 700, limit: 800 },
    ]) {
      const file = source(endlessRows());
      const { requests } = await readTrace(file, "t.csv", options);
      expect(requests).toBe(options.from === undefined ? 1500 : 800);
      expect([file.taken(), file.isClosed()]).toEqual([3, true]);
    }
  });

  test("so too of packed files, though they are packed without an end", async () => {
    const packed = gzipSync(HEADER + rows(0, 100_000)).subarray(0, 60_000);
    expect((await read([packed], { ...REPLAY, limit: 1000 })).requests).toBe(1000);
  });

  test("with a line that does not end", async () => {
    const zeros = "\0".repeat(65_536);
    const file = source(endless(() => zeros));
    await expect(readTrace(file, "/dev/zero", REPLAY)).rejects.toThrow(
      "/dev/zero:1: a line longer than 1000000 bytes",
    );
    expect(file.taken()).toBe(16);
    expect(
      await issuesOf(
        after(
          `${HEADER}1,2,3\n`,
          endless(() => zeros),
        ),
      ),
    ).toEqual(["t.csv:3: a line longer than 1000000 bytes"]);
  });

  test("with a JSON value, a file, or requests beyond what is read", async () => {
    const limits = { value: 1000, bytes: 200_000, requests: 2500 };
    const long = (start: string): Promise<string[]> =>
      issuesOf(
        after(
          start,
          endless(() => '"x": 1,\n '.repeat(50)),
        ),
        REPLAY,
        limits,
      );
    expect(await long("{\n")).toEqual(["t.csv:1: a value longer than 1000 characters"]);
    expect(await long("[\n\n{")).toEqual(["t.csv:3: a value longer than 1000 characters"]);
    expect(
      await issuesOf(
        after(
          '{"a":',
          endless(() => " 1,".repeat(500)),
        ),
        REPLAY,
        limits,
      ),
    ).toEqual(["t.csv:1: a line longer than 1000 bytes"]);
    expect(await issuesOf(endlessRows(), REPLAY, limits)).toEqual([
      "t.csv:2502: more than 2500 requests (--limit takes the first ones)",
    ]);
    expect(
      await issuesOf(
        endless(() => "\n".repeat(1000)),
        REPLAY,
        limits,
      ),
    ).toEqual(["t.csv: longer than 200000 bytes (--limit takes the first requests alone)"]);
  });

  test("with more problems than anybody wants to know of", async () => {
    const issues = await issuesOf(
      after(
        HEADER,
        endless(() => "x,y,z\n".repeat(1000)),
      ),
    );
    expect(issues.length).toBe(11);
    expect(issues[10]).toBe("t.csv: … and at least 9992 more");
  });
});

describe("what is no text", () => {
  const latin = (text: string): Buffer => Buffer.from(text, "latin1");
  test.each<[string, (string | Uint8Array)[], string]>([
    ["a byte that no UTF-8 has", [HEADER, "1,2,3\n", latin("2,\xfc,3\n")], "t.csv:3: not UTF-8 text"],
    [
      "the same in an array",
      ['[\n{"arrival_s": 1, "prompt_tokens": 2, "output_tokens": 3},\n', latin('{"\xfc": 2}\n]')],
      "t.csv:3: not UTF-8 text",
    ],
    [
      "a character cut off at the end",
      [HEADER, "1,2,3\n", Uint8Array.of(49, 0xc3)],
      "t.csv:3: not UTF-8 text",
    ],
    [
      "UTF-16",
      [Buffer.from(`\ufeff${HEADER}`, "utf16le")],
      "cannot read t.csv: not UTF-8 text (it begins as UTF-16)",
    ],
    ["a zip archive", [latin("PK\x03\x04....")], "cannot read t.csv: a zip archive (unpack it first)"],
    [
      "Parquet, a byte at a time",
      [..."PAR1\x15\x04"],
      "cannot read t.csv: a Parquet file (convert it to CSV or JSON lines)",
    ],
    [
      "gzip that is cut off",
      [gzipSync(HEADER + rows(0, 1000)).subarray(0, 500)],
      "cannot read t.csv: damaged gzip data: unexpected end of file",
    ],
    [
      "gzip that is damaged",
      [gzipSync(HEADER + rows(0, 1000)).fill(255, 100, 200)],
      "cannot read t.csv: damaged gzip data: incorrect data check",
    ],
  ])("%s", async (_, pieces, expected) => expect(await issuesOf(pieces)).toEqual([expected]));

  test("a bomb of gzip is stopped where its text is too long", async () => {
    const bomb = gzipSync(`${HEADER}${"\n".repeat(1_000_000)}`);
    expect(bomb.length).toBeLessThan(2000);
    expect(await issuesOf([bomb], REPLAY, { bytes: 500_000 })).toEqual([
      "t.csv: longer than 500000 bytes (--limit takes the first requests alone)",
    ]);
  });

  test("characters of several bytes are read wherever pieces end", async () => {
    const csv = Buffer.from(`arrival_s,prompt_tokens,output_tokens,模型\n1,2,3,"é, λ"\n2,3,4,😀\n`);
    const json = Buffer.from(
      '[{"arrival_s":1,"prompt_tokens":2,"output_tokens":3,"é":"λ😀"},\n{"arrival_s":2,"prompt_tokens":3,"output_tokens":4}]',
    );
    for (const bytes of [csv, json])
      for (let size = 1; size < 9; size++) {
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        expect([...(await read(pieces)).trace.promptTokens]).toEqual([2, 3]);
      }
  });

  test("a fault of the machine stays one", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(HEADER);
      throw new FileError("read", "t.csv", "input/output error");
    }
    await expect(readTrace(failing(), "t.csv", REPLAY)).rejects.toThrow("input/output error");
  });
});
