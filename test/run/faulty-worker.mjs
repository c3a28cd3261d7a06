/**
 * The worker of a bad day: it does each task as the real one does, but not the first time. What befalls it is told by
 * the task, so that a run is the same each time; the folder of its environment remembers what has befallen.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import work from "../../dist/run/worker.js";

const FAULTS = {
  exits: () => process.exit(7),
  "exits quietly": () => process.exit(0),
  "runs out of memory": () => {
    const held = [];
    for (;;) held.push(new Array(100_000).fill(held.length));
  },
  hangs: () => {
    for (;;);
  },
  /** Takes no processor's time. */
  sleeps: () => sleep(),
  /** Goes on when it is told to. */
  waits: () => {
    while (!existsSync(join(process.env.LLMSIM_FAULTS, "go on"))) sleep(5);
  },
};

/** Milliseconds, or for ever. */
function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function isFirst(name) {
  try {
    closeSync(openSync(join(process.env.LLMSIM_FAULTS, name), "wx"));
    return true;
  } catch {
    return false;
  }
}

export default (task) => {
  const hash = createHash("sha256").update(JSON.stringify(task)).digest();
  const [exits, quietly, memory] = Object.keys(FAULTS);
  // What takes long befalls few.
  const name = process.env.LLMSIM_FAULT ?? [memory, quietly, quietly, exits, exits][hash[0] % 5];
  const isAlways = process.env.LLMSIM_FAULT_ALWAYS;
  if (isAlways !== undefined) FAULTS[isAlways]();
  if (isFirst(`${hash.toString("hex").slice(0, 12)} ${name}`)) FAULTS[name]();
  return work(task);
};
