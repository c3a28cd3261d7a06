/**
 * Reads a journal (journal.ts) from pieces of its bytes, line by line: a file may be larger than the longest text, and
 * of an endless one no more is read than it takes to see that it is no journal.
 */
import { ConfigError } from "../core/errors.js";
import type { TrialValues } from "../core/trial/trial.js";
import { decoded, isSame, JOURNAL_VERSION, type JournalHeader, sumOf } from "./journal.js";

/** What a journal holds. */
export interface Journal {
  readonly header: JournalHeader;
  readonly shards: ReadonlyMap<string, TrialValues>;
  /** The line where each of them stands first, from 1. */
  readonly lines: ReadonlyMap<string, number>;
  /** Sound lines after the first. */
  readonly records: number;
  /** 1 if the last line was torn. */
  readonly torn: number;
  /** Length of the sound lines, in bytes; they stand at the beginning of the file. */
  readonly bytes: number;
}

const NEWLINE = 10;
/** `<length> <crc32> ` */
const START = /^(\d{1,10}) ([0-9a-f]{8}) /;
/** No start of a line is longer. */
const LONGEST_START = 20;
/** Bytes of a line: the results of a command are at most 1 GiB, and base64 makes a third more of them. */
const LONGEST_LINE = 2 ** 31;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function recordIn(payload: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isHeader = (found: Record<string, unknown>): found is Record<string, unknown> & JournalHeader =>
  typeof found.command === "string" && typeof found.core === "string" && isRecord(found.settings);

/** The payload of a line, or undefined if it is not whole. */
function payloadOf(line: Buffer): Buffer | undefined {
  const [start, length, sum] = START.exec(line.toString("latin1", 0, LONGEST_START)) ?? [];
  if (start === undefined || line.length - start.length !== Number(length)) return undefined;
  const payload = line.subarray(start.length);
  return sumOf(payload) === sum ? payload : undefined;
}

class JournalReader {
  private readonly name: string;
  private readonly mend: string;
  /** The line under way, in parts. */
  private parts: Buffer[] = [];
  private length = 0;
  /** How long the line under way may become: it says so itself; none once it is seen to be no line. */
  private most = Infinity;
  private line = 1;
  /** The number of a line that is not whole; fatal unless the file ends with it. */
  private bad = 0;
  private readonly shards = new Map<string, TrialValues>();
  private readonly lines = new Map<string, number>();
  private records = 0;
  private bytes = 0;
  /** Of which run it is, once that is read. */
  header: JournalHeader | undefined;

  constructor(name: string, mend: string) {
    this.name = name;
    this.mend = mend;
  }

  add(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      this.extend(bytes.subarray(at, end));
      this.take();
      at = end + 1;
    }
    // The next piece may be read into the same bytes.
    if (at < bytes.length) this.extend(Buffer.from(bytes.subarray(at)));
  }

  /** @throws ConfigError when there was no first line */
  finish(): Journal {
    const { header, shards, lines, records, bytes } = this;
    if (header === undefined) return this.refuse(1, `torn before its first line (${this.mend})`);
    return { header, shards, lines, records, torn: this.bad > 0 || this.length > 0 ? 1 : 0, bytes };
  }

  private refuse(line: number, what: string): never {
    throw new ConfigError([{ key: "--resume", message: `${this.name}:${line}: ${what}` }]);
  }

  private damaged(line: number): never {
    return this.refuse(line, `not a line of a journal (damaged; ${this.mend})`);
  }

  /** More of the line under way; what can be none is not kept. */
  private extend(bytes: Buffer): void {
    if (this.bad > 0) this.damaged(this.bad);
    this.length += bytes.length;
    this.parts.push(bytes);
    if (this.most === Infinity && this.length >= LONGEST_START) this.most = this.promised();
    if (this.length <= this.most) return;
    if (this.line === 1) this.damaged(1);
    this.parts = [];
  }

  /** How long the line under way says it is; 0 where it says nothing that can be. */
  private promised(): number {
    const [start, length] = START.exec(Buffer.concat(this.parts).toString("latin1", 0, LONGEST_START)) ?? [];
    const most = start === undefined ? 0 : start.length + Number(length);
    return most <= LONGEST_LINE ? most : 0;
  }

  /** The line under way is complete. */
  private take(): void {
    const line = this.parts.length === 1 ? this.parts[0] : Buffer.concat(this.parts);
    const isWhole = this.length <= this.most;
    const payload = isWhole ? payloadOf(line) : undefined;
    this.parts = [];
    this.length = 0;
    this.most = Infinity;
    const number = this.line++;
    if (payload === undefined) {
      if (number === 1) this.damaged(1);
      this.bad = number;
      return;
    }
    if (number === 1) this.header = this.headerIn(payload);
    else this.record(payload, number);
    this.bytes += line.length + 1;
  }

  private headerIn(payload: Buffer): JournalHeader {
    const found = recordIn(payload);
    if (found?.llmsim !== "journal") return this.refuse(1, "not a journal of llmsim");
    if (found.version !== JOURNAL_VERSION)
      this.refuse(
        1,
        `journal version ${String(found.version)} (this program reads version ${JOURNAL_VERSION})`,
      );
    return isHeader(found) ? found : this.refuse(1, "a journal that does not say of what run it is");
  }

  private record(payload: Buffer, line: number): void {
    const space = payload.indexOf(" ");
    const values = space < 0 ? undefined : decoded(payload.subarray(space + 1));
    if (!values) return this.refuse(line, "not the values of a shard");
    const key = payload.toString("latin1", 0, space);
    const before = this.shards.get(key);
    if (before && !isSame(before, values))
      this.refuse(line, `another result of shard ${key} than line ${this.lines.get(key)} (${this.mend})`);
    this.records++;
    this.shards.set(key, values);
    if (!before) this.lines.set(key, line);
    return undefined;
  }
}

const ANEW = "delete the file to start anew";

/**
 * Reads a journal.
 * @param name what an error calls it
 * @param mend what to do about a damaged one
 * @throws ConfigError when a line before the last is not what was written, or it is no journal of this version
 */
export async function readJournal(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name: string,
  mend = ANEW,
): Promise<Journal> {
  const reader = new JournalReader(name, mend);
  for await (const piece of pieces) reader.add(piece);
  return reader.finish();
}

/** Of which run a journal is; of its file no more is read than that takes. */
export async function readHeader(pieces: AsyncIterable<Uint8Array>, name: string): Promise<JournalHeader> {
  const reader = new JournalReader(name, ANEW);
  for await (const piece of pieces) {
    reader.add(piece);
    if (reader.header) return reader.header;
  }
  return reader.finish().header;
}
