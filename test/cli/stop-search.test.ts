/** Ctrl-C ends a search at once: a run from a backlog, which may take minutes, is left behind. */
import { expect, test } from "vitest";
import { lazyExecutor } from "../../src/cli/settings/executor.js";
import { prepare } from "../../src/core/configuration/check-config.js";
import type { StabilityTask } from "../../src/core/trial/trial.js";
import { Interrupted } from "../../src/run/interrupted.js";
import { scenario } from "../experiments/studies.js";

const LONG: StabilityTask = {
  kind: "stability",
  seed: 1,
  trial: 1,
  config: prepare({ ...scenario("demo2"), scheduler: { kind: "decode-prioritizing" } }),
  backlog: 4_000_000,
  batches: 20,
  settle: 2,
  batchSeconds: 200_000,
  fromEmpty: false,
};

test.each(["while it runs", "before it runs"])("%s", async (when) => {
  const stop = new AbortController();
  const settings = { executor: "threads", redis: undefined, workers: 1, quiet: true } as const;
  const stderr = { write: () => true };
  const executor = lazyExecutor(settings, undefined, [], { signal: stop.signal, stderr });
  const reason = new Interrupted("SIGINT");
  if (when === "before it runs") stop.abort(reason);
  const values = executor.run(LONG);
  stop.abort(reason);
  await expect(values).rejects.toBe(reason);
  await executor.close();
});

test("as many searches at once as a table has rows: Node warns of no leak", async ({ onTestFinished }) => {
  const warned: Error[] = [];
  const hear = (warning: Error): void => void warned.push(warning);
  process.on("warning", hear);
  onTestFinished(() => void process.off("warning", hear));
  const settings = { executor: "threads", redis: undefined, workers: 0 } as const;
  const { signal } = new AbortController();
  const executor = lazyExecutor(settings, undefined, [], { signal, stderr: { write: () => true } });
  const short = { ...LONG, backlog: 0, batches: 2, batchSeconds: 1 };
  await Promise.all(Array.from({ length: 20 }, (_, trial) => executor.run({ ...short, trial: trial + 1 })));
  await executor.close();
  expect(warned).toEqual([]);
});
