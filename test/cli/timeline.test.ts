/** `run --timeline FILE`: where it is written, what the screen says of it, and what is refused. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { listing, llmsim, SMALL, test } from "./session.js";

test("a trace of every scheduler's first trial, beside the tables, which do not change", async ({
  folder,
}) => {
  const plain = await llmsim(`run ${SMALL} --quiet`, { cwd: folder });
  expect(listing(folder)).toEqual([]);
  const traced = await llmsim(`run ${SMALL} --quiet --timeline out/t.json`, { cwd: folder });
  expect(traced.code).toBe(0);
  expect(listing(folder)).toEqual(["out", "out/t.json"]);
  expect(traced.stdout).toContain("written:\n  out/t.json\n");
  const upTo = (text: string): string => text.slice(0, text.indexOf("\nnote:"));
  expect(upTo(traced.stdout)).toBe(upTo(plain.stdout));
  const { traceEvents } = JSON.parse(readFileSync(join(folder, "out/t.json"), "utf8")) as {
    traceEvents: { name: string; args: { name?: string } }[];
  };
  expect(traceEvents.filter(({ name }) => name === "process_name").map(({ args }) => args.name)).toEqual([
    "decode-prioritizing",
    "prefill-prioritizing",
    "hybrid",
  ]);
  const cut = await llmsim(`run ${SMALL} --quiet --timeline t.json --timeline-limit 50`, { cwd: folder });
  expect(cut.stdout).toMatch(
    /^note: timeline: hybrid is cut after 50 iterations, at [\d.]+ s \(--timeline-limit 50\)$/m,
  );
});

test.for([
  [["--timeline", ""], "invalid --timeline: empty (a file to write)"],
  [["--timeline", "."], "--timeline: cannot write .: is a directory"],
  [
    ["--timeline", "t.json", "--timeline-limit", "0"],
    "invalid --timeline-limit: 0 (an integer at least 1 and at most 1000000)",
  ],
] as const)("%j is refused", async ([flags, message], { folder }) => {
  const { code, stdout, stderr } = await llmsim([..."run --quiet --workers 0".split(" "), ...flags], {
    cwd: folder,
  });
  expect([code, stdout, stderr, listing(folder)]).toEqual([2, "", `error: ${message}\n`, []]);
});
