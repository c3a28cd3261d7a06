/** What a command line comes to: exit codes, and an error of ours that says how to see it again. */
import { beforeEach, describe, expect, vi } from "vitest";
import { report } from "../../src/cli/faults.js";
import { ConfigError, InvariantError, PlanError } from "../../src/core/errors.js";
import type { TrialTask } from "../../src/core/trial/trial.js";
import { METRICS } from "../../src/core/measures/metrics.js";
import { FileError } from "../../src/io/files.js";
import type * as inProcessModule from "../../src/run/in-process.js";
import type { SubmitterOptions } from "../../src/run/bullmq/submitter.js";
import type { WorkerOptions } from "../../src/run/bullmq/worker.js";
import { type Executor, Interrupted } from "../../src/run/executor.js";
import { listing, llmsim, test } from "./session.js";

/** What the executor of `--workers 0` does here; undefined: what it always does. */
let behave: Executor["run"] | undefined;
vi.mock("../../src/run/in-process.js", async (load) => {
  const real = await load<typeof inProcessModule>();
  return {
    inProcess: (...given: Parameters<typeof real.inProcess>): Executor =>
      behave ? { width: 1, run: behave, close: async () => {} } : real.inProcess(...given),
  };
});
vi.mock("../../src/run/bullmq/submitter.js", () => ({
  submitter: async ({ tell, signal }: SubmitterOptions): Promise<Executor> => {
    tell!("waiting for a worker");
    const { inProcess } = await vi.importActual<typeof inProcessModule>("../../src/run/in-process.js");
    return inProcess(undefined, signal);
  },
}));
vi.mock("../../src/run/bullmq/worker.js", () => ({
  serve: async ({ tell, insist }: WorkerOptions): Promise<number> => {
    tell("refused");
    insist!("waiting for a run");
    return 0;
  },
}));
beforeEach(() => {
  behave = undefined;
});

const COMMAND = "run --tmax 10 --ntrials 2 --workers 0 --seed 8";

describe("exit codes", () => {
  test("0: done, also when the point is unstable: that is data", async ({ folder: cwd }) => {
    const { code, stdout } = await llmsim(`${COMMAND} --lam 50`, { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("note: load: λ = 50");
  });

  test("1: a check failed, and its rows are written all the same", async ({ folder: cwd }) => {
    behave = async (task) => {
      const { count, configs } = task as TrialTask;
      return new Float64Array(count * configs.length * METRICS.length).fill(1);
    };
    const { code, stdout, stderr } = await llmsim("validate --workers 0", { cwd });
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout.split("\n")[0]).toMatch(/^the simulator disagrees with theory in \d+ of \d+ checks: /);
    expect(stdout).toContain("FAIL");
    expect(listing(cwd)).toEqual(["data", "data/validation.csv"]);
  });

  test.for([
    ["an InvariantError", new InvariantError("a law of the model does not hold")],
    ["a PlanError of a built-in scheduler", new PlanError("hybrid", 3, "over the token budget")],
    ["any other error", new TypeError("not a function")],
  ] as const)(
    "3: %s is a bug of ours, with the command that shows it",
    async ([, error], { folder: cwd }) => {
      behave = () => Promise.reject(error);
      const { code, stdout, stderr } = await llmsim(`${COMMAND} --out-data`.split(" ").concat("my data"), {
        cwd,
      });
      expect([code, stdout]).toEqual([3, ""]);
      expect(stderr).toContain(`bug in llmsim: `);
      expect(stderr).toContain(error.message);
      expect(stderr.endsWith(`command that shows it:\n  llmsim ${COMMAND} --out-data 'my data'\n`)).toBe(
        true,
      );
      expect(listing(cwd)).toEqual([]);
    },
  );

  test("2: what only shows while simulating is the user's fault as well", async ({ folder: cwd }) => {
    const { code, stdout, stderr } = await llmsim(
      `${COMMAND} --lam 1 --c-ms 1000000 --set workload.outputTokens.kind=fixed --set workload.outputTokens.tokens=2000000000`,
      { cwd },
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe("error: the drain would pass 2^53 ns (the clock counts 104 days)\n");
  });

  test.for([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s: %i, what was finished is shown and kept, no result is written, and how to go on",
    async ([signal, expected], { folder: cwd }) => {
      const stop = new AbortController();
      const command = "run --ntrials 100000 --workers 0 --requests rows.csv";
      const { inProcess } = await vi.importActual<typeof inProcessModule>("../../src/run/in-process.js");
      const own = inProcess(undefined, stop.signal);
      let done = 0;
      behave = async (task) => {
        const values = await own.run(task);
        if (++done === 3) stop.abort(new Interrupted(signal));
        return values;
      };
      const session = llmsim(command, { cwd, signal: stop.signal });
      const { code, stdout, stderr } = await session;
      expect(code).toBe(expected);
      expect(stdout).toMatch(/^\ninterrupted: over the finished trials only, and not written\n/);
      expect(stdout).toContain("paired differences");
      const [, journal] = listing(cwd);
      expect(listing(cwd)).toEqual(["data", journal]);
      expect(journal).toMatch(/^data\/run-[0-9a-f]{8}\.journal$/);
      const told =
        /interrupted: nothing was written; (\d+) finished shards are kept in (.*); to go on:\n {2}(.*)\n$/;
      expect(told.exec(stderr)?.slice(2), stderr).toEqual([journal, `llmsim ${command} --resume`]);
      expect(Number(told.exec(stderr)![1])).toBeGreaterThanOrEqual(3);
    },
  );
});

test("what is waited for is said with --quiet, too", async ({ folder: cwd }) => {
  const queue = "--redis redis://127.0.0.1:1 --quiet";
  const run = await llmsim(`run --tmax 10 --ntrials 2 --executor bullmq ${queue}`, { cwd });
  expect([run.code, run.stderr]).toEqual([0, "waiting for a worker\n"]);
  const worker = await llmsim(`worker ${queue}`, { cwd });
  expect([worker.code, worker.stderr]).toEqual([0, "waiting for a run\n"]);
});

test("what each kind of error says", () => {
  const told = (error: unknown): [number, string] => {
    let text = "";
    const code = report(error, { write: (more) => (text += more) }, "llmsim run");
    return [code, text];
  };
  const issues = [
    { key: "a", message: "invalid a: 1 (above 2)" },
    { key: "b", message: "missing b (a number)" },
  ];
  expect(told(new ConfigError(issues))).toEqual([
    2,
    "error: invalid a: 1 (above 2)\nerror: missing b (a number)\n",
  ]);
  expect(told(new FileError("write", "data/x.csv", "no space left on device"))).toEqual([
    2,
    "error: cannot write data/x.csv: no space left on device\n",
  ]);
  expect(told("a text that was thrown")).toEqual([
    3,
    "bug in llmsim: a text that was thrown\nplease report it with the command that shows it:\n  llmsim run\n",
  ]);
  expect(told(new InvariantError("the clock went back"))[1]).not.toContain("    at ");
});
