/**
 * What this machine does not give: open files, memory, threads. Never the fault of settings or simulation. It stands
 * alone, so that who only tells of it loads no simulator.
 */
export class MachineFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MachineFault";
  }
}

/** A run, or a point of it, is larger than the memory that there is. */
export class MemoryFault extends MachineFault {}
