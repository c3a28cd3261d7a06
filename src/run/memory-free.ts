/** How much memory a process may still take, in bytes: of the machine, or of the container that it is in. */
import { freemem, totalmem } from "node:os";

/** Elsewhere than on Linux what is free leaves out what the system would give back when asked: half of all is assumed. */
export function memoryFree(): number {
  const { availableMemory } = process as { availableMemory?: () => number };
  const free = availableMemory?.() ?? freemem();
  return process.platform === "linux" ? free : Math.max(free, totalmem() / 2);
}
