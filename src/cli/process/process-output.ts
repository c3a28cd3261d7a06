/**
 * stdout and stderr of the process as outputs that know what became of what was written: a disk that is full fails the
 * run, whose journal then stays; a reader that has gone (`| head`) ends the output alone, and files are still written.
 */
import { fstatSync, writeSync } from "node:fs";
import { FileError, reasonOf } from "../../io/files.js";
import type { Output } from "../streams.js";

/** @param name what an error calls it */
export function outputOf(
  stream: NodeJS.WriteStream & { readonly fd: number },
  name: string,
): Omit<Required<Output>, "redraw"> {
  let lost: FileError | undefined;
  let isGone = false;
  const lose = (error: unknown): void => {
    if ((error as NodeJS.ErrnoException).code === "EPIPE") isGone = true;
    else if (!isGone) lost ??= new FileError("write to", name, reasonOf(error));
  };
  stream.on("error", lose);
  const isFile = isRegular(stream.fd);
  let last = Promise.resolve();
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    write(text) {
      if (isGone || lost) return;
      if (isFile) writeWhole(stream.fd, text, lose);
      else
        last = new Promise((resolve) => {
          stream.write(text, (error) => {
            if (error) lose(error);
            resolve();
          });
        });
    },
    async taken() {
      await last;
      if (lost) throw lost;
    },
  };
}

/** A file: Node writes to it with one call, and does not look how much of the text a full disk took. */
function writeWhole(fd: number, text: string, lose: (error: unknown) => void): void {
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  } catch (error) {
    lose(error);
  }
}

function isRegular(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}
