/** Command lines as they are printed: a shell takes them, they do what they say, and no password is in them. */
import { describe, expect } from "vitest";
import { InvariantError } from "../../src/core/errors.js";
import { report } from "../../src/cli/faults.js";
import { commandLine } from "../../src/flags/shell.js";
import { smallConfig } from "../run/requests.js";
import { WorkerFault } from "../../src/run/worker-fault.js";
import { llmsim, test } from "./session.js";

const URLS = ["redis://u:secret@h", "redis://u:$secret@h", "rediss://u:'secret'@h", "redis://u:s e@h secret"];

describe.each(URLS)("an address with a password: %s", (url) => {
  const typed = [
    ["run", "--redis", url, "--json"],
    ["run", `--redis=${url}`, "--json"],
  ];

  test("is the variable that is read in its place", () => {
    for (const argv of typed) expect(commandLine(argv)).toBe('llmsim run --redis "$LLMSIM_REDIS" --json');
  });

  test("is not told to whom misspells the flag", async ({ folder: cwd }) => {
    for (const flag of ["--redi", "--Redis"]) {
      const { code, stderr } = await llmsim(["run", `${flag}=${url.replaceAll(" ", "")}`], { cwd });
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/^error: unknown option: --\w+=rediss?:\/\/\.\.\./),
      ]);
      expect(stderr).not.toContain("secret");
    }
  });
});

test.for([
  "Array buffer allocation failed",
  "Invalid typed array length: 17179869184",
  "Invalid typed array length: -1",
])("a machine without memory is no bug: %s", (message) => {
  let told = "";
  const code = report(new RangeError(message), { write: (text) => void (told += text) }, "llmsim run");
  if (message.endsWith("-1")) expect([code, told]).toEqual([3, expect.stringContaining("bug in llmsim")]);
  else
    expect([code, told]).toEqual([
      2,
      "error: not enough memory for this run (fewer --workers, a shorter --tmax or --max-requests need less)\n",
    ]);
});

test("a fault of a queue's worker is shown again by a command that runs", async ({ folder: cwd }) => {
  const argv = [
    "run",
    "--tmax",
    "5",
    "--ntrials",
    "1",
    "--executor",
    "bullmq",
    "--redis",
    "redis://u:secret@h",
  ];
  let told = "";
  const task = { seed: 9, first: 3, count: 1, configs: [smallConfig()], windows: [], verify: false };
  const fault = new WorkerFault(task, "ran out of memory", 3);
  expect(report(fault, { write: (text) => void (told += text) }, commandLine(argv))).toBe(3);
  expect(told).toMatch(/ran out of memory, 3 times over: trial 3 of hybrid, seed 9\n/);
  const replay = told.trimEnd().split("\n").at(-1)!.trim();
  expect(replay).toBe("llmsim run --tmax 5 --ntrials 1 --workers 0");
  expect((await llmsim(replay.replace("llmsim ", ""), { cwd })).code).toBe(0);
  report(new InvariantError("x"), { write: (text) => void (told += text) }, commandLine(argv));
  expect(told).not.toContain("secret");
});
