/** `run --precision` from the command line: trials are added until it is met, and they are the trials of `--ntrials`. */
import { describe, expect } from "vitest";
import { z } from "zod";
import { runOutputSchema } from "../../src/config/run-output-schema.js";
import { listing, llmsim, test } from "./session.js";

interface Summary {
  readonly mean: number;
  readonly ci95_low: number;
  readonly ci95_high: number;
}
interface Output {
  readonly trials: number;
  readonly precision?: { readonly met: boolean; readonly trials: number; readonly pilot: number };
  readonly results: readonly { readonly metrics: Readonly<Record<string, Summary>> }[];
}

const SHORT = "run --tmax 60 --ntrials 10";
const MET = `${SHORT} --precision 0.05`;

const width = ({ mean, ci95_low, ci95_high }: Summary): number => (ci95_high - ci95_low) / 2 / mean;

describe("trials are added until the precision is met", () => {
  test("for every scheduler, and the results are those of that many trials", async ({ folder: cwd }) => {
    const { code, stdout, stderr } = await llmsim(`${MET} --workers 0 --json --per-trial`, { cwd });
    expect(code).toBe(0);
    const { precision, ...found } = JSON.parse(stdout) as Output;
    expect(precision).toMatchObject({ met: true, trials: found.trials, pilot: 10 });
    expect(found.trials).toBeGreaterThan(10);
    for (const { metrics } of found.results) expect(width(metrics.rts_p95_s!)).toBeLessThan(0.05);
    expect(stderr).toMatch(/^precision: rts_p95_s ±\S+ % after 10 trials \(\S+\); ±5 % takes about \d+/m);

    const plain = await llmsim(`run --tmax 60 --ntrials ${found.trials} --workers 0 --json --per-trial`, {
      cwd,
    });
    expect(found).toEqual(JSON.parse(plain.stdout));
    const pilot = await llmsim(`${SHORT} --workers 0 --json`, { cwd });
    const widths = (JSON.parse(pilot.stdout) as Output).results.map(({ metrics }) =>
      width(metrics.rts_p95_s!),
    );
    expect(Math.max(...widths)).toBeGreaterThan(0.05);
    expect(listing(cwd)).toEqual([]);
  });

  test("the document is as its schema says, met, not met or beyond hope", async ({ folder: cwd }) => {
    for (const flags of [
      "--precision 0.9",
      "--precision 0.001 --max-trials 12",
      "--precision 0.1 --precision-metric n_rejected",
    ]) {
      const { code, stdout } = await llmsim(`${SHORT} --workers 0 --json ${flags}`, { cwd });
      expect(code).toBe(0);
      const document = JSON.parse(stdout) as Output;
      expect(document.precision!.met).toBe(flags === "--precision 0.9");
      expect(runOutputSchema(z).safeParse(document).error).toBeUndefined();
      const spoilt = { ...document, precision: { ...document.precision, met: "maybe" } };
      expect(runOutputSchema(z).safeParse(spoilt).success).toBe(false);
    }
  });

  test("header and answer name the trials that were run; --quiet says nothing on the way", async ({
    folder: cwd,
  }) => {
    const { stdout, stderr } = await llmsim(`${MET} --workers 0 --quiet`, { cwd });
    expect(stderr).toBe("");
    const trials = /after (\d+) trials; the pilot of 10 forecast about \d+\n/.exec(stdout)?.[1];
    expect(stdout).toContain(`scenario demo2, ${trials} trials, seed 1`);
  });

  test("the same bytes for --workers 0 and 2", async ({ folder: cwd }) => {
    const seen = new Set<string>();
    for (const workers of [0, 2])
      seen.add((await llmsim(`${MET} --workers ${workers} --quiet --json --per-trial`, { cwd })).stdout);
    expect(seen.size).toBe(1);
  });
});
