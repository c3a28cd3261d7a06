/** Tasks run at once as far as they fit into memory; one that does not fit alone is refused: its process would be ended. */
import type { Registry } from "../core/configuration/registry.js";
import type { Task } from "../core/trial/trial.js";
import { MemoryFault } from "./machine-fault.js";
import { memoryFree } from "./memory-free.js";
import { bytesOf, isLarge, rowsOf } from "./task-memory.js";

/** Of what is free, the part that tasks may take; the rest is for what the estimate leaves out. */
const USABLE = 0.9;
const gigabytes = (bytes: number): string => `${Number((bytes / 2 ** 30).toPrecision(2))} GiB`;

export interface MemoryOptions {
  /** Bytes that are free, asked once, before the first large task. */
  readonly free?: () => number;
  /** Hears that fewer run at once than might. */
  readonly tell?: (line: string) => void;
}

/** The memory that tasks share. */
export class Memory {
  private usable: number | undefined;
  private taken = 0;
  private hasTold = false;
  /** Who waits for room, first come first served: else small ones would always go before a large one. */
  private readonly waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  private readonly registry: Registry;
  private readonly free: () => number;
  private readonly tell: (line: string) => void;

  constructor(registry: Registry, { free = memoryFree, tell = () => {} }: MemoryOptions = {}) {
    this.registry = registry;
    this.free = free;
    this.tell = tell;
  }

  /**
   * Does a task's work when there is room for it.
   * @throws MemoryFault when there never is
   */
  async during<T>(task: Task, work: () => Promise<T>): Promise<T> {
    const bytes = bytesOf(task, this.registry);
    if (!isLarge(bytes)) return work();
    this.usable ??= this.free() * USABLE;
    if (bytes > this.usable)
      throw new MemoryFault(
        `too little memory: ${Number((rowsOf(task, this.registry) / 1e6).toPrecision(2))} million requests a trial take about ${gigabytes(bytes)}, and ${gigabytes(this.usable / USABLE)} are free (a shorter --tmax or --max-requests needs less)`,
      );
    if (this.waiting.length > 0 || this.taken + bytes > this.usable) await this.room(bytes);
    this.taken += bytes;
    try {
      return await work();
    } finally {
      this.taken -= bytes;
      this.admit();
    }
  }

  private room(bytes: number): Promise<void> {
    if (!this.hasTold)
      this.tell(
        `fewer threads for want of memory: a trial takes about ${gigabytes(bytes)}, and ${gigabytes(this.usable! / USABLE)} are free`,
      );
    this.hasTold = true;
    return new Promise((enter) => this.waiting.push({ bytes, enter }));
  }

  private admit(): void {
    for (let coming = 0; this.waiting.length > 0;) {
      const { bytes, enter } = this.waiting[0];
      if (this.taken + coming + bytes > this.usable!) return;
      coming += bytes;
      this.waiting.shift();
      enter();
    }
  }
}
