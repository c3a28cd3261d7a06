/**
 * When processes began, where the system tells (Linux): a number of a process that has ended is given to another, and
 * only this tells the two apart.
 */
import { readFileSync } from "node:fs";
import { uptime } from "node:os";

/** Of Linux towards its users, on every machine. */
const TICKS_A_SECOND = 100;

export interface Beginning {
  /** The same for the same process only; no clock that is set moves it. */
  readonly mark: string;
  /** By today's clock, in ms. */
  readonly at: number;
}

/** When a process began that is there now; undefined where the system does not tell. */
export function beginningOf(pid: number): Beginning | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is a name in brackets, which may hold anything; the 22nd is the instant, in ticks since the boot.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3];
    const ago = uptime() - Number(ticks) / TICKS_A_SECOND;
    return { mark: `${boot} ${ticks}`, at: Date.now() - 1000 * ago };
  } catch {
    return undefined;
  }
}
