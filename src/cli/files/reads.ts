/** Which files a run reads: what it is made of it never writes over. Whatever reads through this port is noted. */
import { createHash } from "node:crypto";
import type { FileSystem } from "../../io/files.js";

export interface Reads {
  readonly fs: FileSystem;
  /** Every path that was read, and of a text its hash. */
  readonly paths: ReadonlyMap<string, string | undefined>;
}

export function notingReads(fs: FileSystem): Reads {
  const paths = new Map<string, string | undefined>();
  return {
    paths,
    fs: {
      ...fs,
      async readText(path) {
        paths.set(path, paths.get(path));
        const text = await fs.readText(path);
        paths.set(path, createHash("sha256").update(text).digest("hex"));
        return text;
      },
      readLines(path) {
        paths.set(path, paths.get(path));
        return fs.readLines(path);
      },
      readBytes(path) {
        paths.set(path, paths.get(path));
        return fs.readBytes(path);
      },
    },
  };
}
