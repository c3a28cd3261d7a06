/** Builds reference.c where there is a compiler, and runs it. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./temporary.js";

const SOURCE = fileURLToPath(new URL("reference.c", import.meta.url));

/**
 * The compiled reference.
 * @returns its rounds (figures as those of a build of ours), or undefined without a C compiler
 */
export function cReference() {
  const program = join(temporaryFolder(), "reference");
  try {
    execFileSync("cc", ["-O3", "-march=native", "-o", program, SOURCE, "-lm"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
  return {
    /** @param {string} kind the scheduler; the program reads its first letter */
    round: (kind, trials, seconds) =>
      JSON.parse(execFileSync(program, [kind, String(trials), String(seconds)], { encoding: "utf8" })),
  };
}
