/** Folders that go when the bench ends, also by Ctrl-C. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
])
  process.once(signal, () => process.exit(code));

/** @param {(folder: string) => void} [before] what is to be done before the folder goes */
export function temporaryFolder(before) {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-bench-"));
  process.once("exit", () => {
    before?.(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
