/**
 * Bad input by the thousand: whatever the command line and its files say, the end is one of four exit codes, with no
 * stack trace and no half a file. LLMSIM_LONG=1 tries 100,000; LLMSIM_FUZZ=n tries case n alone, of the seed given, and
 * LLMSIM_FUZZ=a-b those from a to below b. What each cost is written to the file LLMSIM_COSTS, of which scripts/long.js
 * judges: how long a case takes is the machine's affair.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { SEED } from "../seed.js";
import { commands, fuzzCase } from "./mutations.js";
import { contents, llmsim } from "./session.js";

const CASES = process.env.LLMSIM_LONG === "1" ? 100_000 : 300;

/** The largest memory that this process has had since it was last asked, in MB; 0 where the system does not tell. */
function peakMegabytes(): number {
  const status = "/proc/self/status";
  if (!existsSync(status)) return 0;
  const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(status, "utf8")) ?? [];
  writeFileSync("/proc/self/clear_refs", "5");
  return Number(kilobytes ?? 0) / 1024;
}

/** Which cases are tried. */
function chosen(only = `0-${CASES}`): number[] {
  const [first, end] = only.split("-").map(Number);
  return Array.from({ length: end === undefined ? 1 : end - first! }, (_, i) => first! + i);
}

vi.mock("../../src/io/png.js", () => import("./output/light-pictures.js"));
vi.mock("../../src/io/gif.js", () => ({
  renderGif: () => Promise.resolve({ gif: new Uint8Array(1), still: new Uint8Array(1) }),
}));

test(`${CASES} cases end with 0, 1, 2 or 4, without a stack trace or half a file`, async () => {
  const all = await commands();
  const only = process.env.LLMSIM_FUZZ;
  const numbers = chosen(only);
  const codes = new Map<number, number>();
  const cwd = mkdtempSync(join(tmpdir(), "llmsim-"));
  for (const number of numbers) {
    const { argv, files } = fuzzCase(number, all);
    mkdirSync(cwd, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
    const before = contents(cwd);
    const startedAt = process.cpuUsage();
    const { code, stdout, stderr } = await llmsim(argv, { cwd });
    const { user, system } = process.cpuUsage(startedAt);
    const took = (user + system) / 1e6;
    const after = contents(cwd);
    const told = `LLMSIM_TEST_SEED=${SEED} LLMSIM_FUZZ=${number}: ${JSON.stringify(argv).slice(0, 600)}\n${stderr.slice(0, 2000)}`;
    if (process.env.LLMSIM_COSTS !== undefined)
      appendFileSync(
        process.env.LLMSIM_COSTS,
        `${number} ${took} ${peakMegabytes()} ${JSON.stringify(told)}\n`,
      );
    if (numbers.length === 1) console.log(told, took, Object.keys(after), stdout.slice(0, 1000));
    codes.set(code, (codes.get(code) ?? 0) + 1);

    expect([0, 1, 2, 4], told).toContain(code);
    expect(stderr, told).not.toMatch(/\n\s+at |bug in llmsim|\[object|undefined/);
    // Names of files are the user's own; what was read is as it was, and what was written is whole.
    for (const [name, text] of Object.entries(before)) expect(after[name] === text, told).toBe(true);
    if (code === 2) {
      expect(Object.keys(after), told).toEqual(Object.keys(before));
      expect(stdout, told).toBe("");
      expect(stderr, told).toMatch(/^((warning|merge|resume): .*\n)*(error: .*\n)+$/);
      expect(stderr.length, told).toBeLessThan(20_000);
    }
    for (const [name, text] of Object.entries(after)) {
      if (name in before) continue;
      expect(name, told).not.toMatch(/\.\d+$|\.journal$/);
      expect(text, told).toMatch(/\n$|^<!doctype|^\{.*\}$|^\0$|-of-\d+$/is);
    }
    if (stdout !== "" && argv.includes("--json") && !argv.includes("--help") && !argv.includes("-h"))
      JSON.parse(stdout);
    if (Object.keys(after).length > 0) rmSync(cwd, { recursive: true });
  }
  rmSync(cwd, { recursive: true, force: true });
  if (only !== undefined) return;
  // The fuzzer reaches both what is run and what is refused. Of 300, that fewer are by chance has the probability beside it.
  expect(codes.get(0), "exit 0").toBeGreaterThan(0.01 * CASES); // 9.4 % of the cases (235 of 2,500): 8e-10
  expect(codes.get(2), "exit 2").toBeGreaterThan(0.7 * CASES); // 90.6 %: 1e-23
}, 7_200_000);
