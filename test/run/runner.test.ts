/** The runner over executors that answer in any order, or fail: same records, prompt end, honest progress. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError, InvariantError, UnfitError } from "../../src/core/errors.js";
import { METRICS } from "../../src/core/measures/metrics.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import { runTask, type Task } from "../../src/core/trial/trial.js";
import type { Executor } from "../../src/run/executor.js";
import { inProcess } from "../../src/run/in-process.js";
import { type Progress, runner } from "../../src/run/runner.js";
import { Share } from "../../src/run/share.js";
import { shardsOf } from "../../src/run/tasks.js";
import { silent } from "../experiments/studies.js";
import { backlogs, difference, manyShards } from "./requests.js";

/** Answers what it has been asked in the order that `picks` gives: any of the waiting tasks may be next. */
function outOfOrder(width: number, picks: readonly number[]): Executor & { readonly order: number[] } {
  const simulator = new Simulator();
  const waiting: (() => void)[] = [];
  const order: number[] = [];
  let asked = 0;
  return {
    width,
    order,
    run(task) {
      const number = asked++;
      return new Promise((resolve) => {
        waiting.push(() => {
          order.push(number);
          resolve(runTask(simulator, task));
        });
        setImmediate(() => {
          const pick = picks[order.length % picks.length]! % waiting.length;
          waiting.splice(pick, 1)[0]!();
        });
      });
    },
    close: async () => {},
  };
}

const inOrder = await runner(inProcess(), silent).run(manyShards);

describe("the order of shards", () => {
  test("does not matter: the same bytes for any order and any width", async () => {
    expect(inOrder.values.some((value) => value > 0)).toBe(true);
    const picks = fc.array(fc.nat(30), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(picks, fc.integer({ min: 1, max: 6 }), async (given, width) => {
        const records = await runner(outOfOrder(width, given), silent).run(manyShards);
        expect(difference(records, inOrder)).toBeUndefined();
      }),
      { numRuns: 8 },
    );
  });

  test("was really another one here", async () => {
    const executor = outOfOrder(4, [5, 0, 3, 7, 1]);
    await runner(executor, silent).run(manyShards);
    expect(executor.order).not.toEqual([...executor.order].sort((a, b) => a - b));
    expect(executor.order.length).toBe(shardsOf(manyShards, {}).length);
  });

  test("nor does the number of trials asked for at once: trials 3 to 7 are those of the whole", async () => {
    const part = await runner(inProcess(), silent).run({ ...manyShards, first: 3, trials: 5 });
    manyShards.configs.forEach((_, config) => {
      expect(part.metric(config, "rts_mean_s", 2)).toEqual(inOrder.metric(config, "rts_mean_s", 2).slice(2));
    });
  });
});

test("runs from a backlog are answered in the order of their tasks, whoever is done first", async () => {
  const expected = await runner(inProcess(), silent).stability("backlog", backlogs);
  expect(expected).toHaveLength(backlogs.length);
  expect(new Set(expected.map((record) => JSON.stringify(record))).size).toBe(backlogs.length);
  expected.forEach((record, i) => {
    const { batches, fromEmpty } = backlogs[i]!;
    expect(record.decodeTokens).toHaveLength(batches);
    expect(record.prompts).toHaveLength(batches);
    expect(Number.isNaN(record.left)).toBe(!fromEmpty);
  });
  const heard: number[] = [];
  const progress: Progress = { ...silent, advance: (amount) => void heard.push(amount) };
  const executor = outOfOrder(3, [4, 1, 3, 0, 2]);
  expect(await runner(executor, progress).stability("backlog", backlogs)).toEqual(expected);
  expect(executor.order).not.toEqual([...executor.order].sort((a, b) => a - b));
  expect(heard).toHaveLength(backlogs.length);
  expect(Math.min(...heard)).toBeGreaterThan(0);
});

describe("a shard that fails", () => {
  const failAt = (nth: number, width: number): Executor & { asked: number } => {
    const simulator = new Simulator();
    return {
      width,
      asked: 0,
      async run(task: Task) {
        if (++this.asked === nth) throw new ConfigError([{ key: "x", message: `shard ${nth} fails` }]);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return runTask(simulator, task);
      },
      close: async () => {},
    };
  };

  test.each([1, 2, 9])("number %i: rejects with its error and starts no more shards", async (nth) => {
    const executor = failAt(nth, 2);
    const heard: string[] = [];
    const progress: Progress = { ...silent, end: () => void heard.push("end") };
    const outcome = runner(executor, progress).run(manyShards);
    await expect(outcome).rejects.toThrow(ConfigError);
    await expect(outcome).rejects.toThrow(`shard ${nth} fails`);
    const shards = shardsOf(manyShards, {}).length;
    expect(shards).toBeGreaterThan(14);
    // Those in flight beside it (two a worker) end, and no other begins.
    expect(executor.asked).toBeLessThan(nth + 2 * executor.width);
    expect(heard).toEqual(["end"]);
  });
});

describe("progress", () => {
  test("begins with the whole amount, advances by all of it, and ends", async () => {
    const heard: (string | number)[] = [];
    let total = 0;
    const progress: Progress = {
      begin(label, amount) {
        heard.push("begin", label);
        total = amount;
      },
      advance: (amount) => void heard.push(amount),
      end: () => void heard.push("end"),
    };
    await runner(outOfOrder(3, [2, 0, 1]), progress).run(manyShards);
    const amounts = heard.filter((one) => typeof one === "number");
    expect(heard.slice(0, 2)).toEqual(["begin", "many"]);
    expect(heard.at(-1)).toBe("end");
    expect(amounts).toHaveLength(heard.length - 3);
    expect(amounts.every((amount) => amount > 0)).toBe(true);
    expect(amounts.reduce((sum, amount) => sum + amount, 0)).toBeCloseTo(total, 6);
  });

  test("counts about the requests that are simulated", async () => {
    let total = 0;
    const progress: Progress = { ...silent, begin: (_, amount) => void (total = amount) };
    const records = await runner(inProcess(), progress).run(manyShards);
    let simulated = 0;
    manyShards.configs.forEach((_, config) => {
      for (const window of [0, 1, 2])
        for (const count of records.metric(config, "n_arrived", window)) simulated += count;
    });
    expect(Math.abs(total - simulated) / simulated).toBeLessThan(0.02);
  });
});

test("every task is told to check the laws when the runner is, or the request", async () => {
  const seen: boolean[] = [];
  const watching: Executor = {
    width: 1,
    run: async (task) => {
      if ("kind" in task) throw new Error("no such task was asked for");
      seen.push(task.verify);
      return new Float64Array(task.count * task.configs.length * 3 * METRICS.length);
    },
    close: async () => {},
  };
  await runner(watching, silent, { verify: true }).run(manyShards);
  await runner(watching, silent).run({ ...manyShards, verify: true });
  expect(seen.every(Boolean)).toBe(true);
  seen.length = 0;
  await runner(watching, silent).run(manyShards);
  expect(seen.some(Boolean)).toBe(false);
});

describe("a configuration that cannot be simulated", () => {
  const request = { ...manyShards, goesOnAfterFailures: true };
  const bad = new Set([1, 4, 10]); // the last shares its random numbers, and so its shards, with the first
  /** Refuses every task that has one of these configurations. */
  const refusing = (places: ReadonlySet<number>, error: () => Error, ran: Task[] = []): Executor => {
    const inner = inProcess();
    const refused = [...places].map((place) => JSON.stringify(request.configs[place]));
    return {
      ...inner,
      width: 3,
      run: async (task) => {
        ran.push(task);
        if (!("kind" in task) && task.configs.some((one) => refused.includes(JSON.stringify(one))))
          throw error();
        return inner.run(task);
      },
    };
  };
  const reason = (): Error => new UnfitError([{ key: "x", message: "not this one" }]);

  test("has no value, and its reason; all others have theirs, those of its shards too", async () => {
    let [begun, done] = [0, 0];
    const progress: Progress = {
      begin: (_, amount) => void (begun += amount),
      advance: (amount) => void (done += amount),
      end: () => {},
    };
    for (const places of [bad, new Set([10])]) {
      [begun, done] = [0, 0];
      const records = await runner(refusing(places, reason), progress).run(request);
      expect([...records.failed.keys()].sort((a, b) => a - b)).toEqual([...places]);
      expect(records.failed.get(10)!.message).toBe("not this one");
      request.configs.forEach((_, config) => {
        const values = records.metric(config, "rts_mean_s", 2);
        if (places.has(config)) expect(values).toEqual(values.map(() => NaN));
        else expect(values).toEqual(inOrder.metric(config, "rts_mean_s", 2));
      });
      expect(done).toBeCloseTo(begun, 6);
    }
  });

  test("is not tried again and again", async () => {
    const ran: Task[] = [];
    const one = { ...request, trials: 40, configs: [request.configs[12]!, request.configs[0]!] };
    const inner = refusing(new Set([12]), reason, ran);
    const records = await runner({ ...inner, width: 1 }, silent).run(one);
    expect([...records.failed.keys()]).toEqual([0]);
    const tried = ran.filter((task) => !("kind" in task) && task.configs[0] === request.configs[12]);
    expect(tried.length).toBeLessThanOrEqual(2); // of twenty shards, those that two lanes had begun
  });

  test("is an error where nobody said to go on, where all are such, and where it is a bug", async () => {
    await expect(runner(refusing(bad, reason), silent).run(manyShards)).rejects.toThrow("not this one");
    const all = new Set(request.configs.keys());
    await expect(runner(refusing(all, reason), silent).run(request)).rejects.toThrow("not this one");
    const bug = (): Error => new InvariantError("a law");
    await expect(runner(refusing(bad, bug), silent).run(request)).rejects.toThrow("a law");
    const inShare = { share: new Share(1, 2) };
    await expect(runner(refusing(bad, reason), silent, inShare).run(request)).rejects.toThrow("not this one");
    const ofTheRun = (): Error => new ConfigError([{ key: "x", message: "the lock is another's" }]);
    await expect(runner(refusing(bad, ofTheRun), silent).run(request)).rejects.toThrow("the lock");
  });
});
