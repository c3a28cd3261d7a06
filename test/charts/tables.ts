/** Small result tables like the study's, without randomness, for the chart tests. */
import type { Row } from "../../src/charts/index.js";

export const SCHEDULERS = ["decode-prioritizing", "prefill-prioritizing", "hybrid"];
const LEVELS: Record<string, Record<string, number>> = {
  "decode-prioritizing": { ttft_mean_s: 2.25, tbt_mean_s: 0.0132, rts_p95_s: 7.1, throughput_qps: 1.995 },
  "prefill-prioritizing": { ttft_mean_s: 0.105, tbt_mean_s: 0.0148, rts_p95_s: 4.64, throughput_qps: 1.998 },
  hybrid: { ttft_mean_s: 0.102, tbt_mean_s: 0.01426, rts_p95_s: 4.41, throughput_qps: 1.999 },
};

/** A metric with its interval, as columns. */
export const estimate = (column: string, value: number, half: number): Row => ({
  [column]: value,
  [`${column}_ci95_low`]: value - half,
  [`${column}_ci95_high`]: value + half,
});

/** `windows` time windows up to 5000 s; the means rise to their level. */
export function timeSeries(windows: number, schedulers: readonly string[] = SCHEDULERS): Row[] {
  return schedulers.flatMap((scheduler) =>
    Array.from({ length: windows }, (_, i) => {
      const t = (5000 * (i + 1)) / windows;
      const columns = Object.entries(LEVELS[scheduler]).map(([column, level]) =>
        estimate(column, level * (1 - 20 / (t + 40)), (level * 0.3) / Math.sqrt(t)),
      );
      return Object.assign({ scheduler, t_max_s: t, trials: 100 }, ...columns) as Row;
    }),
  );
}

/** No chunking (empty chunk size) and the sizes 8 to 512. */
export const chunkSizes: Row[] = ["", 8, 16, 32, 64, 128, 256, 512].map((size) => ({
  scheduler: "decode-prioritizing",
  chunk_size: size,
  ...estimate("ttft_mean_s", size === "" ? 2.25 : 2.25 + 4 / Number(size), 0.05),
}));

/** An arrival rate sweep in which decode-prioritizing leaves its stable region. */
export const rates: Row[] = SCHEDULERS.flatMap((scheduler) =>
  [1, 2, 3, 4, 5, 6].map((rate) => ({
    scheduler,
    lambda_qps: rate,
    ...estimate(
      "ttft_mean_s",
      scheduler === "decode-prioritizing" && rate > 3 ? 200 * rate : 0.1 * rate,
      0.01,
    ),
  })),
);

/** λ* of two scenarios with their bounds. */
export const capacities: Row[] = [
  { scenario: "chunk 64", bound: 12.06, stars: [0.7973, 9.0885, 11.43] },
  { scenario: "no chunking", bound: 11.59, stars: [0.7684, 9.6208, 10.606] },
].flatMap(({ scenario, bound, stars }) =>
  SCHEDULERS.map((scheduler, i) => ({
    scenario,
    scheduler,
    ...estimate("lambda_star_qps", stars[i], stars[i] * 0.01),
    upper_bound_qps: bound,
  })),
);

export const SUBTITLE = "demo2, λ = 2 requests/s, 100 trials, seed 1, conventions: reference";
