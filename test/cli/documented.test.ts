/** Every command of docs/traffic.md runs as it is printed, but for its length; and what a part of a model lies over. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import { parseCsv } from "../../src/io/csv.js";
import { instead, llmsim, test } from "./session.js";

vi.mock("../../src/io/png.js", () => import("./output/light-pictures.js"));

const TRACE = `arrival_s,prompt_tokens,output_tokens\n${Array.from({ length: 60 }, (_, i) => `${i / 2},${20 + i},5`).join("\n")}\n`;
const COMMANDS = [
  ...readFileSync(new URL("../../docs/traffic.md", import.meta.url), "utf8").matchAll(
    /^llmsim (.*?)(?: +#.*)?$/gm,
  ),
].map(([, line]) => line!);

describe("docs/traffic.md", () => {
  test("has commands", () => expect(COMMANDS.length).toBeGreaterThan(4));
  test.for(COMMANDS)("llmsim %s", async (line, { folder: cwd }) => {
    writeFileSync(join(cwd, "requests.csv"), TRACE);
    const small = instead(line, "--tmax 20 --ntrials 2 --workers 0 --quiet");
    const { code, stderr } = await llmsim(small, { cwd });
    expect([code, stderr]).toEqual([0, ""]);
  });
});

const SMALL = "--tmax 10 --ntrials 1 --workers 0 --quiet";

test("--set is judged after the flag that gives its kind, and the flag has the last word", async ({
  folder: cwd,
}) => {
  const { stdout } = await llmsim(
    `run --arrivals on-off --lam 3 --set workload.arrivals.onSeconds=10 --set workload.arrivals.offSeconds=5 --set workload.arrivals.ratePerSecond=7 ${SMALL}`,
    { cwd },
  );
  expect(stdout).toContain("arrivals on-off ratePerSecond 3 onSeconds 10");
  const { code, stderr } = await llmsim(
    `run --arrivals poison --set engine.maxToken=512 --max-tokens x ${SMALL}`,
    { cwd },
  );
  expect([code, stderr.split("\n").length]).toEqual([2, 4]);
});

test("a part of the traffic beside hardware lies over the usual scenario; a short run of it keeps up", async ({
  folder: cwd,
}) => {
  writeFileSync(join(cwd, "p.yaml"), "workload:\n  promptTokens: { kind: fixed, tokens: 100 }\n");
  const { code, stdout } = await llmsim(
    `run --hardware h100_llama-3.1-8b --config p.yaml --requests rows.csv ${SMALL}`,
    { cwd },
  );
  expect(code).toBe(0);
  expect(stdout).toContain("scenario demo2, hardware h100_llama-3.1-8b");
  expect(stdout).toContain("arrivals poisson ratePerSecond 2;");
  // What is left at T = 10 s takes a second more: a request alone takes 1.7 s.
  expect(stdout).not.toContain("keep up");
  const { rows } = parseCsv(readFileSync(join(cwd, "rows.csv"), "utf8"), { file: "rows.csv" });
  expect(new Set(rows.map((row) => row.prompt_tokens))).toEqual(new Set([100]));
});
