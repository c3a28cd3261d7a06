/**
 * Loaded before the program (`node --import`): it befalls the process at its n-th step on the disk, so that a test says
 * where a run is killed or stopped without a look at the clock. LLMSIM_STEP is `<what> <n> <signal> [half]`: what is
 * `any` step (making, writing, linking, renaming, removing, syncing) or `append`, a line of a journal; `half` of what
 * is to be written is written before. LLMSIM_STEPS names a file that is told how many steps there were.
 */
import fs, { writeFileSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

const [what, n, signal, half] = (process.env.LLMSIM_STEP ?? "").split(" ");
let left = Number(n);
let steps = 0;

/** Counts a step; at the n-th the process is sent its signal, after `before` if that is asked for. */
async function step(kind, before) {
  steps++;
  if ((what !== "any" && what !== kind) || --left !== 0) return;
  if (half !== undefined) await before?.();
  process.kill(process.pid, signal);
  // A stopped process has no further turn; one that is killed may have this one.
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

/** `object[name]` as it is, after its step. */
function watch(object, name, kind, before) {
  const own = object[name];
  object[name] = async function (...given) {
    await step(kind, before && (() => before.call(this, own, given)));
    return own.apply(this, given);
  };
}

/** Of what is written in pieces the first. */
async function* firstOf(pieces) {
  for await (const piece of pieces) return yield piece;
}
const halfOf = (data) => (typeof data.slice === "function" ? data.slice(0, data.length >> 1) : firstOf(data));

if (isMainThread && (what !== "" || process.env.LLMSIM_STEPS)) {
  if (process.env.LLMSIM_STEPS) process.on("exit", () => writeFileSync(process.env.LLMSIM_STEPS, `${steps}`));
  watch(promises, "mkdir", "make");
  watch(promises, "link", "link");
  watch(promises, "rm", "remove");
  watch(promises, "writeFile", "write", (own, [path, data]) => own(path, halfOf(data)));
  const { open } = promises;
  promises.open = async (...given) => {
    await step("open");
    const file = await open(...given);
    watch(file, "writeFile", "append", (own, [data]) => own.call(file, halfOf(data)));
    watch(file, "datasync", "sync");
    return file;
  };
  // Of the library that replaces files.
  const { rename } = fs;
  fs.rename = (from, to, done) => void step("rename").then(() => rename(from, to, done));
  syncBuiltinESMExports();
}
