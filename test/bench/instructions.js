/**
 * `instructions`: machine instructions per request of the loop, counted by valgrind: the same number on a busy machine
 * as on a quiet one, to within what the compiler decides differently.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { COUNTED as CASES } from "./counted.js";
import { assertMeasured, table } from "./figures.js";

export const summary = "machine instructions per request of the loop (needs valgrind; takes half an hour)";

const COUNTED = fileURLToPath(new URL("instructions-process.js", import.meta.url));
/** Of two runs that differ in their trials the difference counts: neither start nor compiling is in it. */
const TRIALS = [80, 130];

export function run({ say }) {
  if (spawnSync("valgrind", ["--version"]).status !== 0) {
    say("no valgrind here: left out");
    return;
  }
  say(
    `demo2 (λ = 2, T = 5000 s) and an H100 at 10 per s, all in one process, ${availableParallelism()} cores`,
  );
  const rows = Object.keys(CASES).map((name) => {
    const [few, many] = TRIALS.map((trials) => count(name, trials));
    const instructions = (many.instructions - few.instructions) / (many.requests - few.requests);
    assertMeasured({ instructions });
    return [name, instructions.toFixed(0)];
  });
  say(table([["", "instructions"], ...rows]));
}

/** Instructions of a whole process that ends with so many trials, and requests in them. */
function count(name, trials) {
  const { status, stdout, stderr } = spawnSync(
    "valgrind",
    [
      ...["--tool=callgrind", "--smc-check=all-non-file", "--callgrind-out-file=/dev/null"],
      ...[process.execPath, "--single-threaded", COUNTED, name, String(trials)],
    ],
    { encoding: "utf8" },
  );
  const found = /Collected : (\d+)/.exec(stderr);
  if (status !== 0 || !found) throw new Error(`valgrind: exit code ${status}: ${stderr}`);
  return { instructions: Number(found[1]), requests: Number(stdout) };
}
