/** Where few files may be open at once: fewer threads, said, or exit 2 with the reason; never a stack, never a hang. */
import { describe, expect, test as plain } from "vitest";
import { drawersFor, isForWantOfFiles, threadsFor } from "../../../src/io/open-files.js";
import { bash } from "./process.js";
import { listing, test } from "../session.js";

const LONG = process.env.LLMSIM_LONG === "1";

const COMMANDS = {
  run: "run --tmax 20 --ntrials 40 --scheduler hybrid",
  sweep: "sweep --vary lam=1,2 --tmax 20 --ntrials 10 --scheduler hybrid",
};
/** Between those below, and with the same end; LLMSIM_LONG=1 tries them. */
const BARELY = LONG
  ? ([
      ["run", 24],
      ["run", 25],
      ["run", 27],
      ["run", 28],
      ["run", 29],
      ["run", 32],
      ["sweep", 64],
    ] as const)
  : [];
const OUT = "--quiet --out-data out --out-figs out";

describe.skipIf(process.platform === "win32")("ulimit -n", () => {
  test.for([...BARELY, ["run", 22], ["run", 26], ["run", 64], ["sweep", 27], ["sweep", 160]] as const)(
    "llmsim %s at %i",
    async ([name, most], { folder }) => {
      const line = `ulimit -n ${most}; exec $LLMSIM ${COMMANDS[name]} --workers 2 ${OUT}`;
      const { code, stderr } = await bash(line, folder).ended;
      expect([0, 2]).toContain(code);
      expect(stderr).toMatch(
        code === 0
          ? /^(1 of 2 threads, for want of open files: \d+ are allowed \(ulimit -n\), and 256 are plenty\n)?$/
          : /^error: too (few|many) open files.*\(ulimit -n.*\n$/,
      );
      expect(listing(folder)).toEqual([]);
    },
  );

  test.for([...(LONG ? ([["run", 256]] as const) : []), ["sweep", 256], ["run", 128]] as const)(
    "llmsim %s at %i, 64 workers: fewer, said, and the same table",
    async ([name, most], { folder }) => {
      const few = await bash(`ulimit -n ${most}; exec $LLMSIM ${COMMANDS[name]} --workers 64 ${OUT}`, folder)
        .ended;
      expect(few.code).toBe(0);
      expect(few.stderr).toMatch(
        new RegExp(`^\\d+ of 64 threads, for want of open files: ${most} are allowed \\(ulimit -n\\)`),
      );
      const none = await bash(`exec $LLMSIM ${COMMANDS[name]} --workers 0 ${OUT}`, folder).ended;
      const result = (text: string): string => text.replace(/ --workers \d+/g, "");
      expect(result(few.stdout)).toBe(result(none.stdout));
    },
  );
});

plain("threads that open files are enough for", () => {
  expect(threadsFor(64, Infinity)).toBe(64);
  expect(threadsFor(8, 20_000)).toBe(8);
  // While they start, and while Vega is loaded beside them.
  expect([21, 22, 34, 100, 204, 232].map((left) => threadsFor(64, left))).toEqual([0, 1, 1, 1, 1, 8]);
  expect(threadsFor(2, -5)).toBe(0);
  expect([203, 204, 1000, Infinity].map((left) => drawersFor(3, left))).toEqual([0, 1, 3, 3]);
});

plain("what is for want of open files", () => {
  const coded = (code: string): Error => Object.assign(new Error("x"), { code });
  expect([coded("EMFILE"), coded("ENFILE")].every(isForWantOfFiles)).toBe(true);
  expect([coded("ENOENT"), new Error("x"), undefined, null, "x"].some(isForWantOfFiles)).toBe(false);
});
