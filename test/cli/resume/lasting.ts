/** Runs that count as long, however fast the machine is: a journal is begun with their first shard. */
import { vi } from "vitest";

/** Does `work` by a clock on which every look is a minute after the one before. */
export async function lasting<T>(work: () => Promise<T>): Promise<T> {
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 60_000));
  try {
    return await work();
  } finally {
    clock.mockRestore();
  }
}
