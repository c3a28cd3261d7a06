/** A page that cannot be read: what the machine says, and `npm run build` only where it is not there. */
import { expect, test } from "vitest";
import { FileError, nodeFiles } from "../../src/io/files.js";
import { readPage } from "../../src/io/pages.js";

test.for([
  ["input/output error", /input\/output error$/],
  ["no such file or directory", /not in the package \(npm run build makes it\)$/],
] as const)("%s", async ([reason, told]) => {
  const readText = (path: string) => Promise.reject(new FileError("read", path, reason));
  await expect(readPage("explore", { ...nodeFiles, readText })).rejects.toThrow(told);
});
