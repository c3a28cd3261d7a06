/** Builds reference.c where there is a compiler, and runs it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("reference.c", import.meta.url));

/**
 * The compiled reference.
 * @returns its rounds (figures as those of a build of ours), or undefined without a C compiler
 */
export function cReference() {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-bench-"));
  const program = join(folder, "reference");
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    execFileSync("cc", ["-O3", "-march=native", "-o", program, SOURCE, "-lm"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch (error) {
    remove();
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
  return {
    /** @param {string} kind the scheduler; the program reads its first word */
    round: (kind, trials, seconds) =>
      JSON.parse(execFileSync(program, [kind, String(trials), String(seconds)], { encoding: "utf8" })),
    stop: remove,
  };
}
