/** Files whose reading ends when the user asks to stop: a pipe that nobody writes to would be waited for in vain. */
import type { FileSystem } from "../../io/files.js";

export interface Stoppable {
  readonly fs: FileSystem;
  /** What is piped in, ended like a file. */
  readonly stdin: <P>(pieces: AsyncIterable<P>) => AsyncIterable<P>;
  /** How many reads the system is still at, whoever has given them up. */
  readonly open: () => number;
}

export function stoppable(fs: FileSystem, signal: AbortSignal): Stoppable {
  const stopped = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
  );
  stopped.catch(() => {}); // heard by those who read
  let open = 0;
  const unlessStopped = <T>(read: Promise<T>): Promise<T> => {
    // What is read to end in order (whose lock it is) is no pipe, and is waited for.
    if (signal.aborted) return read;
    open++;
    return Promise.race([read.finally(() => open--), stopped]);
  };
  async function* pieceByPiece<P>(pieces: AsyncIterable<P>): AsyncGenerator<P, void, undefined> {
    const reader = pieces[Symbol.asyncIterator]();
    try {
      for (;;) {
        const piece = await unlessStopped(reader.next());
        if (piece.done) return;
        yield piece.value;
      }
    } finally {
      // It is closed after the read under way, which may have no end.
      const closed = Promise.resolve(reader.return?.()).catch(() => {});
      if (!signal.aborted) await closed;
    }
  }
  return {
    fs: {
      ...fs,
      readText: (path) => unlessStopped(fs.readText(path)),
      readLines: (path) => pieceByPiece(fs.readLines(path)),
      readBytes: (path) => pieceByPiece(fs.readBytes(path)),
    },
    stdin: pieceByPiece,
    open: () => open,
  };
}
