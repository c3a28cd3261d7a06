/** `reproduce`: every experiment at the study's sizes, figures included, as a user runs it. */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { assertMeasured, wanted } from "./figures.js";
import { temporaryFolder } from "./temporary.js";

export const summary = "llmsim reproduce in full, figures included";

const PROGRAM = fileURLToPath(new URL("../../bin/llmsim.js", import.meta.url));

export function run({ isSmoke, say }) {
  if (isSmoke) {
    say("left out of a smoke run: `llmsim reproduce --quick --check` says more");
    return;
  }
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, "reproduce", "--quiet"], {
    cwd: temporaryFolder(),
    encoding: "utf8",
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (status !== 0) throw new Error(`llmsim reproduce: exit code ${status}: ${stderr}`);
  assertMeasured({ seconds });
  say(`${availableParallelism()} workers: ${wanted(seconds, "<", 60, 0)} s`);
}
