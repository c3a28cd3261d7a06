/**
 * The published means of the earlier study (model §6), under its conventions: ours must lie within 4 standard
 * errors of the difference, with its 100 trials having the errors that it gives, or those of 100 of ours.
 */
import { describe, expect, test } from "vitest";
import { withScheduler } from "../../../src/experiments/interface/study.js";
import { summarize } from "../../../src/stats/index.js";
import { studyOf, trialsWith } from "../studies.js";

interface Published {
  readonly mean: number;
  /** Standard error of the study's 100 trials; not given for P95. */
  readonly error?: number;
}

const METRICS = ["ttft_mean_s", "tbt_mean_s", "rts_p95_s"] as const;

const PUBLISHED: Readonly<Record<string, readonly Published[]>> = {
  "decode-prioritizing": [
    { mean: 2.2517, error: 0.0025 },
    { mean: 0.013232, error: 0.0000044 },
    { mean: 7.0985 },
  ],
  "prefill-prioritizing": [
    { mean: 0.10511, error: 0.00017 },
    { mean: 0.014801, error: 0.0000083 },
    { mean: 4.6398 },
  ],
  hybrid: [{ mean: 0.1021, error: 0.00016 }, { mean: 0.014256, error: 0.0000071 }, { mean: 4.4081 }],
};

const STUDY_TRIALS = 100;
const MOST_STANDARD_ERRORS = 4;

/** Our estimates beside the study's, for each of its numbers. */
async function compare(conventions: "standard" | "reference", trials: number) {
  const study = studyOf("demo2", { conventions, trials, horizon: { tmaxSeconds: 5000 } });
  const configs = study.schedulers.map((scheduler) => withScheduler(study, scheduler));
  const records = await trialsWith().run({ label: "published", configs, seed: 1, trials });
  return study.schedulers.flatMap(({ kind }, config) =>
    METRICS.map((metric, i) => {
      const published = PUBLISHED[kind]![i]!;
      const { mean, sd } = summarize(records.metric(config, metric));
      const theirs = published.error ?? sd / Math.sqrt(STUDY_TRIALS);
      const error = Math.hypot(sd / Math.sqrt(trials), theirs);
      return { what: `${kind} ${metric}`, mean, error, z: (mean - published.mean) / error };
    }),
  );
}

describe("demo2, λ = 2, T = 5000 s", () => {
  test("under reference conventions: the published TTFT, TBT and P95 response time", async () => {
    const rows = await compare("reference", 25);
    expect(rows).toHaveLength(9);
    for (const { what, z, mean, error } of rows) {
      expect.soft(Math.abs(z), `${what}: ${mean}, z = ${z.toFixed(2)}`).toBeLessThan(MOST_STANDARD_ERRORS);
      // An error that is wide proves nothing.
      expect.soft(error / mean, what).toBeLessThan(0.006);
    }
  });

  test("under standard conventions they are others: the comparison can tell", async () => {
    const rows = await compare("standard", 8);
    const far = rows.filter(({ z }) => Math.abs(z) > 2 * MOST_STANDARD_ERRORS).map(({ what }) => what);
    expect(far).toContain("decode-prioritizing tbt_mean_s");
    expect(far).toContain("prefill-prioritizing ttft_mean_s");
    expect(far).toContain("hybrid ttft_mean_s");
    expect(far).toContain("hybrid tbt_mean_s");
  });
});
