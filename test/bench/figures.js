/** Figures of a bench: medians, and tables that can be read. */

/** The middle value (the lower of two). */
export const median = (values) => [...values].sort((a, b) => a - b)[(values.length - 1) >> 1];

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Processor time of this process so far, in ns (a microsecond is the finest it tells). Work on one thread takes as
 * much of it as of the clock on a machine of its own, and hardly more on one that others use.
 */
export function processorNs() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

/** Nanoseconds that `work` takes, by the clock. */
export async function timed(work) {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started);
}

/**
 * A figure beside what is wanted of it. A bench judges nobody: machines differ, so it prints and goes on.
 * @param {"≤" | "≥" | "<"} how
 */
export function wanted(value, how, bound, digits = 2) {
  const isMet = how === "≤" ? value <= bound : how === "<" ? value < bound : value >= bound;
  return `${value.toFixed(digits)} (wanted ${how} ${bound}: ${isMet ? "yes" : "NO"})`;
}

/** Lines of a table: the first column to the left, all others to the right. */
export function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) => row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  "))
    .join("\n");
}

/** Fails on a figure that is none: a part that measures nothing must not pass for one that ran. */
export function assertMeasured(figures) {
  for (const [name, value] of Object.entries(figures))
    if (!(Number.isFinite(value) && value > 0)) throw new Error(`${name}: ${value} is no measurement`);
}
