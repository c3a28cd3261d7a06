/** Instants of traces as whole nanoseconds, exact where Date and doubles are not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decimalsIn, type Instant, type ReadInstant, readWallClock, UNITS } from "../../src/io/instants.js";

const [readSeconds, readMilliseconds, readMicroseconds, readNanoseconds] = UNITS.map(decimalsIn) as [
  ReadInstant,
  ReadInstant,
  ReadInstant,
  ReadInstant,
];

/** The instant in ns, or undefined. */
function nanosOf(read: ReadInstant, text: string): bigint | undefined {
  const into: Instant = { seconds: -1, nanos: -1 };
  if (!read(text, into)) return undefined;
  expect(Number.isSafeInteger(into.seconds) && Number.isInteger(into.nanos)).toBe(true);
  expect(into.nanos >= 0 && into.nanos < 1e9).toBe(true);
  return BigInt(into.seconds) * 1_000_000_000n + BigInt(into.nanos);
}

describe("decimals", () => {
  test.each<[string, bigint]>([
    ["0", 0n],
    ["12", 12_000_000_000n],
    ["12.", 12_000_000_000n],
    ["0.1", 100_000_000n],
    ["0.000000001", 1n],
    ["0.0000000005", 1n], // half a nanosecond is rounded up
    ["0.00000000049", 0n],
    ["1e-7", 100n],
    ["1.5E3", 1_500_000_000_000n],
    ["5269973.123456789", 5_269_973_123_456_789n],
    ["1700158546.680590012", 1_700_158_546_680_590_012n],
    ["0000012.5", 12_500_000_000n],
    ["123456789012345.000000001", 123_456_789_012_345_000_000_001n],
  ])("%s s is %d ns", (text, expected) => {
    expect(nanosOf(readSeconds, text)).toBe(expected);
  });

  test.each([
    "",
    " ",
    "-1",
    "+1",
    ".5",
    "1,5",
    "1e",
    "1e9999",
    "NaN",
    "Infinity",
    "0x10",
    "1 2",
    "9".repeat(70),
  ])("%j is none", (text) => {
    expect(nanosOf(readSeconds, text)).toBeUndefined();
    expect(nanosOf(readMilliseconds, text)).toBeUndefined();
  });

  test("milliseconds are a thousandth", () => {
    expect(nanosOf(readMilliseconds, "27482")).toBe(27_482_000_000n);
    expect(nanosOf(readMilliseconds, "0.25")).toBe(250_000n);
    expect(nanosOf(readMilliseconds, "1e15")).toBe(10n ** 21n);
  });

  test("and so on", () => {
    expect(UNITS).toEqual(["s", "ms", "us", "ns"]);
    expect(nanosOf(readMicroseconds, "1500.25")).toBe(1_500_250n);
    expect(nanosOf(readNanoseconds, "1759813207532900363")).toBe(1_759_813_207_532_900_363n);
    expect(nanosOf(readNanoseconds, "0.5")).toBe(1n);
  });

  test("every whole number of ns is read back exactly, however it is written", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 19n }), (nanos) => {
        const digits = String(nanos).padStart(10, "0");
        const text = `${digits.slice(0, -9)}.${digits.slice(-9)}`;
        expect(nanosOf(readSeconds, text)).toBe(nanos);
        expect(nanosOf(readSeconds, `${nanos}e-9`)).toBe(nanos);
        expect(nanosOf(readMilliseconds, `${nanos}e-6`)).toBe(nanos);
      }),
      { numRuns: 300 },
    );
  });
});

describe("wall clocks", () => {
  test("seven digits stay, which Date would cut to three", () => {
    const one = nanosOf(readWallClock, "2023-11-16 18:15:46.6805900")!;
    const next = nanosOf(readWallClock, "2023-11-16 18:15:46.6805901")!;
    expect(next - one).toBe(100n);
    expect(one).toBe(BigInt(Date.UTC(2023, 10, 16, 18, 15, 46)) * 1_000_000n + 680_590_000n);
  });

  test("any second of three centuries is the one that Date says", () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2200, 0) }), (ms) => {
        const text = new Date(ms).toISOString();
        expect(nanosOf(readWallClock, text)).toBe(BigInt(ms) * 1_000_000n);
        expect(nanosOf(readWallClock, text.replace("T", " ").replace("Z", ""))).toBe(BigInt(ms) * 1_000_000n);
      }),
      { numRuns: 500 },
    );
  });

  test("any second of any year, at any offset, is the one that Date says", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.parse("0000-01-01T00:00:00Z"), max: Date.parse("9999-12-31T23:59:59Z") }),
        fc.integer({ min: 0, max: 999_999_999 }),
        fc.tuple(fc.constantFrom("+", "-"), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 })),
        (ms, nanos, [sign, hours, minutes]) => {
          const second = new Date(ms).toISOString().slice(0, 19);
          const offset = `${sign}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
          const expected = BigInt(Date.parse(`${second}${offset}`)) * 1_000_000n + BigInt(nanos);
          const text = `${second}.${String(nanos).padStart(9, "0")}${offset}`;
          expect(nanosOf(readWallClock, text)).toBe(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("a day is one if Date, asked for it, gives that day", () => {
    const digits = (value: number, length: number): string => String(value).padStart(length, "0");
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 0, max: 9999 }), fc.constantFrom(0, 4, 96, 100, 400, 1900, 2000, 2100)),
        fc.integer({ min: 0, max: 99 }),
        fc.oneof(fc.integer({ min: 27, max: 32 }), fc.integer({ min: 0, max: 99 })),
        (year, month, day) => {
          const text = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
          const parsed = new Date(`${text}T00:00:00Z`);
          const isDay = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
          expect(nanosOf(readWallClock, `${text} 00:00:00`) !== undefined).toBe(isDay);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("offsets from UTC are taken off", () => {
    const utc = nanosOf(readWallClock, "2024-05-10 00:00:00.009930Z");
    expect(nanosOf(readWallClock, "2024-05-10 00:00:00.009930+00:00")).toBe(utc);
    expect(nanosOf(readWallClock, "2024-05-10 05:30:00.009930+05:30")).toBe(utc);
    expect(nanosOf(readWallClock, "2024-05-09 17:00:00.009930-0700")).toBe(utc);
  });

  test.each([
    "2023-02-29 00:00:00",
    "2023-13-01 00:00:00",
    "2023-00-10 00:00:00",
    "2023-04-31 00:00:00",
    "1900-02-29 00:00:00",
    "2023-11-16 24:00:00",
    "2023-11-16 18:60:00",
    "2023-11-16 18:15:60",
    "2023-11-16 18:15",
    "2023-11-16",
    "2023-11-16 18:15:46.",
    "2023-11-16 18:15:46.1234567890",
    "16/11/2023 18:15:46",
    "",
  ])("%j is none", (text) => {
    expect(nanosOf(readWallClock, text)).toBeUndefined();
  });

  test("leap days are days", () => {
    expect(nanosOf(readWallClock, "2024-02-29 00:00:00")).toBeDefined();
    expect(nanosOf(readWallClock, "2000-02-29 00:00:00")).toBeDefined();
  });
});
