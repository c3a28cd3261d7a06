/** Progress on stderr: a bar on a terminal, a line per 10 % elsewhere, nothing when quiet. */
import { describe, expect, test } from "vitest";
import { progressOn } from "../../../src/cli/output/progress.js";
import type { Progress } from "../../../src/run/runner.js";

/** A progress on a fake clock; `step` lets time pass and work be done. */
function watch(isTTY: boolean, isQuiet = false) {
  let now = 1000;
  let text = "";
  const write = (more: string): string => (text += more);
  const output = { write, redraw: (line: string) => write(`\r\u001b[K${line}`), isTTY };
  const progress: Progress = progressOn(output, isQuiet, () => now);
  return {
    progress,
    step(seconds: number, amount: number): string {
      text = "";
      now += 1000 * seconds;
      progress.advance(amount);
      return text;
    },
    end(): string {
      text = "";
      progress.end();
      return text;
    },
  };
}

describe("elsewhere than on a terminal", () => {
  test("a line per 10 %, with the time left, no more than one a second", () => {
    const { progress, step, end } = watch(false);
    progress.begin("run", 100);
    expect(step(0.5, 9)).toBe("");
    expect(step(0.4, 20)).toBe(""); // 29 % already, but the first second is not over
    expect(step(0.6, 1)).toBe("run: 30 %, 4 s left\n");
    expect(step(0.9, 30)).toBe("");
    expect(step(0.6, 0)).toBe("run: 60 %, 2 s left\n");
    expect(step(1, 5)).toBe("");
    expect(step(1, 35)).toBe("run: 100 %, 0 s left\n");
    expect(end()).toBe("");
  });
  test("work that is over within a second says nothing", () => {
    const { progress, step, end } = watch(false);
    progress.begin("run", 10);
    expect(step(0.9, 10) + end()).toBe("");
  });
  test("a second request begins anew", () => {
    const { progress, step, end } = watch(false);
    progress.begin("first", 10);
    step(5, 10);
    end();
    progress.begin("second", 1000);
    expect(step(1.5, 150)).toBe("second: 10 %, 9 s left\n");
  });
  test("no work is done work", () => {
    const { progress, step } = watch(false);
    progress.begin("run", 0);
    expect(step(2, 0)).toBe("run: 100 %\n");
  });
});

describe("on a terminal", () => {
  test("a bar that is drawn over itself and wiped at the end", () => {
    const { progress, step, end } = watch(true);
    progress.begin("run", 100);
    expect(step(0.2, 10)).toBe(""); // may be over soon
    expect(step(0.2, 15)).toBe(`\r\u001B[K${"█".repeat(6)}${"░".repeat(18)} 25 % run`);
    expect(step(0.05, 25)).toBe(""); // drawn a moment ago
    expect(step(1.55, 0)).toBe(`\r\u001B[K${"█".repeat(12)}${"░".repeat(12)} 50 % run, 2 s left`);
    expect(step(1, 60)).toContain(`${"█".repeat(24)} 100 % run`); // never more than all
    expect(end()).toBe("\r\u001B[K");
    expect(end()).toBe("");
  });
});

test("what work will take is told by the pace of all work since the first was done", () => {
  const { progress, step, end } = watch(false);
  expect(progress.secondsFor!(100)).toBeUndefined();
  progress.begin("run", 100);
  step(60, 10); // threads start
  expect(progress.secondsFor!(100)).toBeUndefined();
  step(4, 20);
  end();
  expect(progress.secondsFor!(100)).toBe(20);
  progress.begin("run", 100);
  step(6, 80);
  end();
  expect(progress.secondsFor!(50)).toBe(5);
});

test("quiet: nothing, on either", () => {
  for (const isTTY of [true, false]) {
    const { progress, step, end } = watch(isTTY, true);
    progress.begin("run", 10);
    expect(step(5, 5) + step(5, 5) + end()).toBe("");
  }
});
