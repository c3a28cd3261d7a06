/** What every executor does: the core's values, bit for bit, and the simulation's own errors, whole. */
import { describe, expect, test } from "vitest";
import { ConfigError, InvariantError, PlanError } from "../../src/core/errors.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import { runTask, type TrialTask } from "../../src/core/trial/trial.js";
import type { Executor } from "../../src/run/executor.js";
import { inProcess } from "../../src/run/in-process.js";
import { runner } from "../../src/run/runner.js";
import { silent } from "../experiments/studies.js";
import { backlogs, difference, failing, manyShards, smallConfig } from "./requests.js";

/** @param given the executor to be tested, when the tests run */
export function executorContract(name: string, given: () => Executor): void {
  describe(`values ${name}`, () => {
    test("of many shards are the bytes of this process", async () => {
      const expected = await runner(inProcess(), silent).run(manyShards);
      expect(difference(await runner(given(), silent).run(manyShards), expected)).toBeUndefined();
    });

    test("of a task are the core's", async () => {
      const configs = manyShards.configs.slice(0, 1);
      const task: TrialTask = { seed: 3, first: 2, count: 4, configs, windows: [2, 5], verify: true };
      expect(await given().run(task)).toEqual(runTask(new Simulator(), task));
      for (const backlog of backlogs.slice(0, 3))
        expect(await given().run(backlog)).toEqual(runTask(new Simulator(), backlog));
    });
  });

  describe(`errors of a simulation ${name}`, () => {
    const taskOf = (name: keyof typeof failing): TrialTask => ({
      seed: 5,
      first: 3,
      count: 1,
      configs: [failing[name]],
      windows: [],
      verify: true,
    });
    const errorOf = (name: keyof typeof failing): Promise<unknown> =>
      given()
        .run(taskOf(name))
        .then(
          () => undefined,
          (error: unknown) => error,
        );

    test("a ConfigError keeps its issues", async () => {
      const error = await errorOf("config");
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).issues.map(({ message }) => message)).toEqual([
        "the drain would pass 2^53 ns (the clock counts 104 days)",
      ]);
    });

    test("a PlanError keeps scheduler, iteration and rule", async () => {
      const error = (await errorOf("plan")) as PlanError;
      expect(error).toBeInstanceOf(PlanError);
      expect([error.scheduler, error.iteration, error.rule]).toEqual([
        "hybrid",
        1,
        "placed nothing while work waits",
      ]);
    });

    test("an InvariantError names seed and trial", async () => {
      const error = (await errorOf("invariant")) as InvariantError;
      expect(error).toBeInstanceOf(InvariantError);
      expect(error.message).toMatch(/\(scheduler hybrid, seed 5, trial 3\)$/);
    });

    test("any other error keeps its words", async () => {
      expect(String(await errorOf("other"))).toContain("no member named no such model");
    });

    test("and it works on afterwards", async () => {
      await errorOf("plan");
      const task = { ...taskOf("plan"), configs: [smallConfig()] };
      expect(await given().run(task)).toEqual(runTask(new Simulator(), task));
    });

    test("the runner rejects with them, quickly", async () => {
      const configs = [...manyShards.configs, failing.plan];
      const work = runner(given(), silent).run({ ...manyShards, configs });
      await expect(work).rejects.toBeInstanceOf(PlanError);
    });
  });
}
