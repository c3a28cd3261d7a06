/** The memory that tasks share: what fits runs at once, what does not waits its turn, what never fits is refused. */
import { expect, test } from "vitest";
import { builtIn } from "../../src/core/configuration/registry.js";
import type { TrialTask } from "../../src/core/trial/trial.js";
import { MemoryFault } from "../../src/run/machine-fault.js";
import { Memory } from "../../src/run/memory.js";
import { bytesOf, isLarge } from "../../src/run/task-memory.js";
import { smallConfig } from "./requests.js";

const GIB = 2 ** 30;

/** A task whose trials have so many rows, about. */
function taskOf(requests: number, more: Partial<TrialTask> = {}): TrialTask {
  const config = smallConfig();
  const arrivals = { kind: "poisson", ratePerSecond: 1000 };
  const horizon = { ...config.horizon, tmaxSeconds: requests / 1000, maxRequests: null };
  const configs = [{ ...config, workload: { ...config.workload, arrivals }, horizon }];
  return { seed: 1, first: 1, count: 3, configs, windows: [], verify: false, ...more };
}

/** Work that is done when it is told to be. */
function works(memory: Memory) {
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  const begin = (name: string, task: TrialTask): Promise<void> =>
    memory.during(task, () => {
      running.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const end = async (name: string): Promise<void> => {
    running.splice(running.indexOf(name), 1);
    ends.get(name)!();
    await settle();
  };
  return { running, begin, end, settle };
}

test("a task takes what its longest trial does, twice that where it is verified", () => {
  const bytes = bytesOf(taskOf(1e8), builtIn);
  expect(bytes).toBeGreaterThan(67e8);
  expect(bytes).toBeLessThan(100e8);
  expect(bytesOf(taskOf(1e8, { count: 1 }), builtIn)).toBe(bytes);
  expect(bytesOf(taskOf(1e8, { verify: true }), builtIn)).toBe(2 * bytes);
  expect(bytesOf(taskOf(1e8, { windows: [10, 1e5] }), builtIn)).toBe(bytes);
  const [config] = taskOf(1e8).configs;
  const capped = { ...config!, horizon: { ...config!.horizon, maxRequests: 1e5 } };
  expect(bytesOf(taskOf(1e8, { configs: [capped] }), builtIn)).toBeCloseTo(bytes / 1000, -1);
  expect(bytesOf(taskOf(1e8, { configs: [capped, config!] }), builtIn)).toBe(bytes);
  expect([isLarge(bytesOf(taskOf(1e5), builtIn)), isLarge(bytes)]).toEqual([false, true]);
});

test("as many at once as fit, first come first served, and that is said once", async () => {
  const said: string[] = [];
  const memory = new Memory(builtIn, { free: () => 20 * GIB, tell: (line) => said.push(line) });
  const { running, begin, end, settle } = works(memory);
  const [large, half, small] = [taskOf(1e8), taskOf(5e7), taskOf(1e5)];
  const all = [begin("a", large), begin("b", large), begin("c", large), begin("d", half), begin("e", small)];
  await settle();
  // 7.5 GiB twice; a third waits, and so does who came after it, though there would be room.
  expect(running).toEqual(["a", "b", "e"]);
  await end("b");
  expect(running).toEqual(["a", "e", "c"]);
  await end("a");
  expect(running).toEqual(["e", "c", "d"]);
  for (const name of ["c", "d", "e"]) await end(name);
  await Promise.all(all);
  expect(said).toEqual([
    "fewer threads for want of memory: a trial takes about 7.5 GiB, and 20 GiB are free",
  ]);
});

test("one that never fits is refused and takes nothing; a small one is not asked about", async () => {
  const memory = new Memory(builtIn, { free: () => 4 * GIB });
  const { running, begin, end, settle } = works(memory);
  const refused = begin("a", taskOf(1e8));
  await expect(refused).rejects.toThrow(MemoryFault);
  await expect(refused).rejects.toThrow(
    "too little memory: 100 million requests a trial take about 7.5 GiB, and 4 GiB are free (a shorter --tmax or --max-requests needs less)",
  );
  const next = begin("b", taskOf(4e7));
  await settle();
  expect(running).toEqual(["b"]);
  await end("b");
  await next;
  const none = new Memory(builtIn, { free: () => 0 });
  await expect(none.during(taskOf(1e5), () => Promise.resolve(7))).resolves.toBe(7);
});

test("work that fails gives its room back", async () => {
  const memory = new Memory(builtIn, { free: () => 10 * GIB });
  const { running, begin, end, settle } = works(memory);
  const failing = memory.during(taskOf(1e8), () => Promise.reject(new Error("lost")));
  const next = begin("b", taskOf(1e8));
  await expect(failing).rejects.toThrow("lost");
  await settle();
  expect(running).toEqual(["b"]);
  await end("b");
  await next;
});
