/** The bytes of a file that may be packed by gzip, told by how it begins; what else is no text is named. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { FileError } from "./files.js";

export type Bytes = AsyncIterable<Uint8Array>;

/** How files begin that are not read, and what to do about them. */
const FOREIGN: readonly (readonly [start: readonly number[], reason: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], "a zip archive (unpack it first)"],
  [[0x28, 0xb5, 0x2f, 0xfd], "packed by zstd (unpack it first)"],
  [[0xfd, 0x37, 0x7a, 0x58], "packed by xz (unpack it first)"],
  [[0x42, 0x5a, 0x68], "packed by bzip2 (unpack it first)"],
  [[0x50, 0x41, 0x52, 0x31], "a Parquet file (convert it to CSV or JSON lines)"],
  [[0xff, 0xfe], "not UTF-8 text (it begins as UTF-16)"],
  [[0xfe, 0xff], "not UTF-8 text (it begins as UTF-16)"],
];
const GZIP = [0x1f, 0x8b];
const LONGEST_START = 4;
/** Bytes that are unpacked at a time. */
const UNPACKED = 1 << 18;

const beginsWith = (bytes: Uint8Array, start: readonly number[]): boolean =>
  start.every((byte, i) => bytes[i] === byte);

/**
 * The bytes of a text file, unpacked.
 * @param file as errors name it
 * @throws FileError when it is packed otherwise, or its gzip data is damaged
 */
export async function* unpacked(source: Bytes, file: string): Bytes {
  const chunks = source[Symbol.asyncIterator]();
  try {
    let start: Uint8Array = new Uint8Array(0);
    while (start.length < LONGEST_START) {
      const next = await chunks.next();
      if (next.done === true) break;
      start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
    }
    const foreign = FOREIGN.find(([bytes]) => beginsWith(start, bytes));
    if (foreign) throw new FileError("read", file, foreign[1]);
    const all = restOf(start, chunks);
    yield* beginsWith(start, GZIP) ? gunzipped(all, file) : all;
  } finally {
    await chunks.return?.();
  }
}

async function* restOf(start: Uint8Array, chunks: AsyncIterator<Uint8Array>): Bytes {
  if (start.length > 0) yield start;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

async function* gunzipped(packed: Bytes, file: string): Bytes {
  const gunzip = createGunzip({ chunkSize: UNPACKED });
  const fed = pipeline(Readable.from(packed), gunzip).catch(() => {}); // told by the stream that is read
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (!String(code).startsWith("Z_")) throw error;
    throw new FileError("read", file, `damaged gzip data: ${message}`);
  } finally {
    gunzip.destroy();
    await fed;
  }
}
