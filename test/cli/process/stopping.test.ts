/** Ctrl-C: heard within a trial, however long trials are, whatever the command waits for; and again, at once. */
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { bash, node, until } from "./process.js";
import { listing, test } from "../session.js";

/** A scheduler whose every trial begins with a file that says so, and has no end. */
const ENDLESS = `import { writeFileSync } from "node:fs";
import { threadId } from "node:worker_threads";
let begun = 0;
export default {
  name: "endless",
  create: () => {
    writeFileSync(\`begun.\${threadId}.\${begun++}\`, "");
    return { compose() { for (;;); } };
  },
};
`;

const begun = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith("begun."));

describe("a trial without end on each thread, and others that wait for one", () => {
  test.for([
    ["SIGINT", 130, 1],
    ["SIGTERM", 143, 2],
  ] as const)(
    "%s: exit %i with --workers %i; no other trial is begun",
    async ([signal, code, workers], { folder }) => {
      writeFileSync(join(folder, "endless.mjs"), ENDLESS);
      const command = `run --plugin endless.mjs --scheduler endless --tmax 200000 --ntrials 8`;
      const { child, ended } = node(`${command} --quiet --workers ${workers}`, folder);
      await until(() => begun(folder).length >= workers);
      child.kill(signal);
      const outcome = await ended;
      expect([outcome.code, outcome.signal]).toEqual([code, null]);
      expect(outcome.stderr).toBe(
        `interrupted: nothing was written; to run it again:\n  llmsim ${command} --quiet --workers ${workers}\n`,
      );
      expect(begun(folder)).toHaveLength(workers);
      expect(listing(folder)).toHaveLength(workers + 1);
    },
  );
});

describe("a command that waits for a pipe", () => {
  test.for(["--trace", "--lengths-from", "--config", "--vllm-log"])(
    "%s: the first signal ends it",
    async (flag, { folder }) => {
      expect(spawnSync("mkfifo", [join(folder, "pipe")]).status).toBe(0);
      // The writer gets the pipe when the reader has it, and says no whole line.
      const writer = bash("exec 3>pipe; printf a >&3; echo open >&2; exec sleep 600", folder);
      const { child, ended } = node(`run ${flag} pipe --quiet --workers 0`, folder);
      await writer.heard;
      child.kill("SIGINT");
      const outcome = await ended;
      expect(outcome.signal ?? outcome.code).toBe("SIGINT");
      expect(outcome.stderr).toBe(
        `interrupted: nothing was written; to run it again:\n  llmsim run ${flag} pipe --quiet --workers 0\n`,
      );
    },
  );

  test("on stdin: the first signal ends it", async ({ folder }) => {
    expect(spawnSync("mkfifo", [join(folder, "pipe")]).status).toBe(0);
    // More than a pipe holds: that it is all written says that it is being read.
    const writer = bash("exec 3>pipe; yes '' | head -c 200000 >&3; echo read >&2; exec sleep 600", folder);
    const { child, ended } = bash("exec $LLMSIM run --trace - --quiet --workers 0 < pipe", folder);
    await writer.heard;
    child.kill("SIGINT");
    const outcome = await ended;
    expect(outcome.signal ?? outcome.code).toBe("SIGINT");
    expect(outcome.stderr).toBe(
      "interrupted: nothing was written; to run it again:\n  llmsim run --trace - --quiet --workers 0\n",
    );
  });

  test("that it writes to: the second signal ends it at once, and its lock is gone", async ({ folder }) => {
    const sweep = "sweep --vary lam=1,2 --tmax 20 --ntrials 2 --scheduler hybrid --workers 2 --quiet";
    expect(
      spawnSync("bash", ["-c", "mkdir data && mkfifo data/sweep_ratePerSecond.csv"], { cwd: folder }).status,
    ).toBe(0);
    const { child, ended } = node(sweep, folder);
    // The answer is said before the files are written.
    await new Promise((resolve) => child.stdout!.once("data", resolve));
    expect(listing(join(folder, "data")).some((name) => name.endsWith(".lock"))).toBe(true);
    child.kill("SIGINT");
    child.kill("SIGTERM");
    const outcome = await ended;
    expect(["SIGINT", "SIGTERM"]).toContain(outcome.signal);
    expect(outcome.stderr).toBe("interrupted again: ended at once\n");
    expect(outcome.stdout).not.toContain("written:");
    expect(listing(join(folder, "data")).map((name) => name.replace(/-\w{8}\./, "."))).toEqual([
      "sweep.journal",
      "sweep_ratePerSecond.csv",
    ]);
  });
});
