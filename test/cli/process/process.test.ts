/** bin/llmsim.js as a process: pipes that close, signals, and the demo from start to end. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { version } from "../../../src/cli/version.js";
import { bash, node } from "./process.js";
import { listing, test } from "../session.js";

test("--version", async ({ folder }) => {
  expect(await node("--version", folder).ended).toEqual({
    code: 0,
    signal: null,
    stdout: `${version}\n`,
    stderr: "",
  });
});

test("a current folder that is gone", async ({ folder }) => {
  const line = "mkdir gone && cd gone && rmdir ../gone && $LLMSIM run --tmax 5 --ntrials 1";
  expect(await bash(line, folder).ended).toMatchObject({
    code: 2,
    stdout: "",
    stderr: "error: the current folder is gone (change to one that is there)\n",
  });
});

describe("a reader that goes away", () => {
  const RUN = "$LLMSIM run --tmax 500 --ntrials 2 --workers 0 --requests rows.csv";

  test.for([`${RUN} --quiet | head -n 1`, `${RUN} 2>&1 | true`])(
    "%s: exit 0, no complaint, and the file is written whole",
    async (line, { folder }) => {
      const { code, stdout, stderr } = await bash(line, folder).ended;
      expect([code, stderr]).toEqual([0, ""]);
      if (line.includes("--quiet | head"))
        expect(stdout).toMatch(/^\S+ has the lowest P95 response time, .*\n$/);
      const rows = readFileSync(join(folder, "rows.csv"), "utf8");
      expect(rows.endsWith("\n")).toBe(true);
      expect(rows.split("\n").length).toBeGreaterThan(3 * 900);
      expect(listing(folder)).toEqual(["rows.csv"]);
    },
  );

  test.skipIf(!existsSync("/dev/full"))(
    "a stdout that is full is the machine's fault: exit 2, said",
    async ({ folder }) => {
      const { code, stderr } = await bash(
        "$LLMSIM run --tmax 20 --ntrials 2 --workers 0 --quiet > /dev/full",
        folder,
      ).ended;
      expect([code, stderr]).toEqual([2, "error: cannot write to stdout: no space left on device\n"]);
    },
  );
});

describe("a stdout that breaks", () => {
  const RUN = "run --tmax 20 --ntrials 60 --workers 0 --quiet --json --per-trial";

  test("a file that grows no further: what came after is missed, and told", async ({ folder }) => {
    // In units of 1024 bytes: the system takes a part of the text, and says only with the next that there is no room.
    for (const command of ["--help", `${RUN}`]) {
      const { code, stderr } = await bash(`trap "" XFSZ; ulimit -f 1; $LLMSIM ${command} > out`, folder)
        .ended;
      expect([code, stderr]).toEqual([2, "error: cannot write to stdout: file too large\n"]);
    }
  });

  test.skipIf(!existsSync("/dev/full"))("the work is kept, where it is worth it", async ({ folder }) => {
    const lengthy = `run --tmax 200 --ntrials 60 --workers 0 --quiet --json`;
    const clock = `NODE_OPTIONS="--import ${new URL("minute-clock.mjs", import.meta.url).href}"`;
    const { code, stderr } = await bash(`${clock} $LLMSIM ${lengthy} > /dev/full`, folder).ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^\d+ finished shards are kept in data\/run-.*: --resume goes on from there\nerror: cannot write to stdout: no space/,
    );
    const resumed = await bash(`$LLMSIM ${lengthy} --resume`, folder).ended;
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringMatching(/ simulated 0\n$/)]);
  });
});

describe("Ctrl-C in a long run", () => {
  test.for([
    ["SIGINT", 130, 0],
    ["SIGINT", 130, 2],
  ] as const)(
    "%s: exit %i with --workers %i, no result is written",
    async ([signal, code, workers], { folder }) => {
      const command = `run --ntrials 4000 --tmax 500 --workers ${workers} --requests rows.csv --scheduler hybrid`;
      const { child, ended, heard } = node(`${command} --out-data out`, folder);
      await heard; // the first line of progress: it simulates
      child.kill(signal);
      const outcome = await ended;
      expect(outcome.code).toBe(code);
      expect(outcome.stdout).toMatch(/^\ninterrupted: over the finished trials only, and not written\n/);
      expect(outcome.stderr).toMatch(
        /interrupted: nothing was written; \d+ finished shards are kept in out\/.*; to go on:\n {2}llmsim run .* --resume\n$/,
      );
      expect(listing(folder).map((file) => file.replace(/-\w{8}\./, "."))).toEqual([
        "out",
        "out/run.journal",
      ]);
    },
  );
});

test("demo: the answer first, then table, M/M/1 check, files and what to try next", async ({ folder }) => {
  const { code, stdout } = await node("demo", folder).ended;
  expect(code).toBe(0);
  const [answer] = stdout.split("\n");
  expect(answer).toMatch(
    /^hybrid has the lowest P95 response time, 4\.4\d+ ± 0\.\d+ s; prefill-prioritizing is 3\.\d+ %/,
  );
  expect(answer).toMatch(/decode-prioritizing is 5\d\.\d+ % \(± 0\.\d+\) worse$/);
  expect(stdout).toContain("the same engine as an M/M/1 queue");
  expect(stdout).not.toContain("FAIL");
  expect(stdout.slice(stdout.indexOf("next:")).match(/llmsim /g)).toHaveLength(3);
  const files = listing(folder).filter((name) => /\.\w+$/.test(name));
  expect(files).toEqual([
    "data/demo/demo2_final_results.csv",
    "data/demo/demo2_time_series_results.csv",
    "figs/demo/demo2_dashboard.png",
    "figs/demo/demo2_dashboard.vl.json",
  ]);
  for (const file of files) expect(stdout).toContain(`  ${file}\n`);
  const png = readFileSync(join(folder, "figs/demo/demo2_dashboard.png"));
  expect(png.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
});
