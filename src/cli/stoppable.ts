/** Files whose reading ends when the user asks to stop: a pipe that nobody writes to would be waited for in vain. */
import type { FileSystem } from "../io/files.js";

export interface Stoppable {
  readonly fs: FileSystem;
  /** How many reads the system is still at, whoever has given them up. */
  readonly open: () => number;
}

export function stoppable(fs: FileSystem, signal: AbortSignal): Stoppable {
  const stopped = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
  );
  stopped.catch(() => {}); // heard by those who read
  let open = 0;
  const readText = (path: string): Promise<string> => {
    // What is read to end in order (whose lock it is) is no pipe, and is waited for.
    if (signal.aborted) return fs.readText(path);
    open++;
    return Promise.race([fs.readText(path).finally(() => open--), stopped]);
  };
  return { fs: { ...fs, readText }, open: () => open };
}
