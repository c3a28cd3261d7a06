/** Files in pieces: what is read or written may be longer than a text can be. */
import { constants } from "node:buffer";
import { open } from "node:fs/promises";
import { FileError } from "./file-error.js";

/** What is written: whole, or in pieces where it may be longer than a text. */
export type Data = string | Uint8Array | Iterable<string | Uint8Array>;

/** Bytes read at once. */
const PIECE = 2 ** 20;
/** UTF-8 has no more characters than bytes, and V8 no longer text. */
export const LONGEST_TEXT = constants.MAX_STRING_LENGTH;

/**
 * The bytes of a file; each piece is the reader's to keep. A device that never ends can be left at any time.
 * @param most a file that is longer is refused, as soon as that is known
 */
export async function* piecesOf(path: string, most = Infinity): AsyncGenerator<Uint8Array, void, undefined> {
  const tooLong = (): FileError => new FileError("read", path, `larger than ${most} bytes`);
  const file = await open(path, "r");
  try {
    if (most < Infinity && (await file.stat()).size > most) throw tooLong();
    for (let size = 0; ;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(PIECE), 0, PIECE, null);
      if (bytesRead === 0) return;
      size += bytesRead;
      if (size > most) throw tooLong();
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Small pieces are put together: each is a call of the system. */
export function* gathered(data: Iterable<string | Uint8Array>): Generator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for (const piece of data) {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    parts.push(bytes);
    size += bytes.length;
    if (size < PIECE) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  yield Buffer.concat(parts);
}
