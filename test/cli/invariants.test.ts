/**
 * Two things that no command may do, over all of them: hide what was left out, and rank an overload. The third, to write
 * over an input, is in every-output.test.ts. A command that is added must be added here.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import { EXPERIMENTS } from "../../src/experiments/index.js";
import { llmsim, test } from "./session.js";

vi.mock("../../src/io/png.js", () => import("./output/light-pictures.js"));

const SMALL = "--tmax 100 --ntrials 2 --workers 0 --quiet";
const ONE = `${SMALL} --scheduler hybrid`;

/** Commands that simulate one load or several, and say what came of it. */
const LOADED: Readonly<Record<string, string>> = {
  run: `run ${SMALL}`,
  "run of one": `run ${ONE}`,
  "sweep-time": `sweep-time --windows 2 ${SMALL}`,
  "sweep-chunk": `sweep-chunk --sizes 64 ${ONE}`,
  hybrid: `hybrid --scenario demo2 --ratios 0.5 --npoints 2 ${SMALL}`,
  sweep: `sweep --vary max-tokens=1024,2048 ${ONE}`,
  compare: `compare --with max-tokens=1024 ${ONE}`,
  explore: `explore ${SMALL}`,
};
/** They seek a load of their own, and say of what it is. */
const SEEKING: Readonly<Record<string, string>> = {
  plan: `plan --slo ttft_p95=20s --precision 0.2 --max-replicas 2 ${ONE}`,
  stability: `stability --lambdas 1 --precision 0.2 ${ONE}`,
};
const SHORT = `workload:
  arrivals: { kind: poisson, ratePerSecond: 1 }
  promptTokens: { kind: fixed, tokens: 30 }
  outputTokens: { kind: mixture, values: [5, 600], weights: [0.9, 0.1] }
service: { kind: affine, cMs: 100 }
`;

/** Why the others are not here. */
const OTHERS: Readonly<Record<string, string>> = {
  demo: "one load, which all three keep up with, and no memory",
  validate: "loads of its own, below what the engine can serve",
  calibrate: "simulates nothing",
  animate: "draws single iterations",
  plot: "draws what the others wrote",
  report: "tells what the others wrote",
  reproduce: "the study's own loads",
};

test("every command is here", () => {
  const names = [LOADED, SEEKING, OTHERS].flatMap((list) => Object.keys(list));
  const commands = new Set(names.map((name) => name.split(" ")[0]));
  expect([...commands].sort()).toEqual(EXPERIMENTS.map(({ name }) => name).sort());
});

describe("requests that can never fit into the KV memory", () => {
  test.for(Object.entries(LOADED))(
    "%s: the first lines say how many",
    async ([, command], { folder: cwd }) => {
      const { code, stdout } = await llmsim(`${command} --kv-tokens 500`, { cwd });
      expect(code).toBe(0);
      expect(stdout.split("\n\n")[0]).toMatch(
        /^rejected: \d+(\.\d+)? % of the requests \(\d+\), as each needs/m,
      );
    },
  );
  test("stability: a note says how many; plan: no load meets an SLO that counts them", async ({
    folder: cwd,
  }) => {
    // A search simulates much: of requests that are soon done, but for those that do not fit.
    writeFileSync(join(cwd, "short.yaml"), SHORT);
    const [found, planned] = [
      await llmsim(`${SEEKING.stability} --kv-tokens 500 --max-sequences 1 --scenario short.yaml`, { cwd }),
      await llmsim(`${SEEKING.plan} --kv-tokens 500 --scenario short.yaml`, { cwd }),
    ];
    expect(found.stdout.replace(/\s+/g, " ")).toMatch(
      /memory: \d+(\.\d+)? % of the requests need more than the/,
    );
    expect([planned.code, planned.stdout]).toEqual([2, ""]);
    expect(planned.stderr).toContain("(those that cannot fit into the KV memory as +∞)");
  });
  test.for(Object.entries({ ...LOADED, ...SEEKING }))(
    "%s: none fits: refused with the reason",
    async ([, command], { folder: cwd }) => {
      const { code, stdout, stderr } = await llmsim(`${command} --kv-tokens 48`, { cwd });
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("all requests would be rejected");
    },
  );
});

describe("more load than any policy can serve", () => {
  test.for(Object.entries(LOADED))("%s: the first line says so", async ([, command], { folder: cwd }) => {
    const { code, stdout } = await llmsim(`${command} --lam 12`, { cwd });
    expect(code).toBe(0);
    const [first] = stdout.split("\n");
    expect(first).toMatch(/no(t|thing)? .*keeps? up/);
    // What is served is no time: of throughput there may be a verdict.
    const times = stdout.replace(/^.*throughput.*$/gm, "");
    expect(times).not.toMatch(/ best$| has the lowest | (worse|better)$/m);
  });
});
