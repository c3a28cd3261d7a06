/** The specs of small tables, byte for byte (`vitest -u` rewrites them: look at the pictures then). */
import { describe, expect, test } from "vitest";
import { bars, dashboard, lineBand, timeSeriesDashboard } from "../../src/charts/index.js";
import { warningsOf } from "./compile.js";
import { capacities, chunkSizes, rates, SCHEDULERS, SUBTITLE as subtitle, timeSeries } from "./tables.js";

const scheduler = { column: "scheduler", title: "scheduler" };
const ttft = { column: "ttft_mean_s", title: "mean TTFT (s)" };

export const SPECS = {
  "time-series": () =>
    timeSeriesDashboard({ rows: timeSeries(3), title: "demo2 against the window", subtitle }),
  "single-point": () => timeSeriesDashboard({ rows: timeSeries(1, ["hybrid"]), title: "demo2", subtitle }),
  chunk: () =>
    lineBand({
      rows: chunkSizes,
      x: { column: "chunk_size", title: "chunk size (tokens)", scale: "log2", none: "no chunking" },
      y: ttft,
      series: scheduler,
      title: "Mean TTFT against chunk size",
      subtitle,
    }),
  rates: () =>
    dashboard({
      rows: rates,
      x: { column: "lambda_qps", title: "arrival rate λ (requests/s)" },
      series: scheduler,
      panels: [{ y: ttft }],
      verticalRules: [
        { value: 3.58, low: 3.5, high: 3.66, label: "λ* 3.58", series: SCHEDULERS[0] },
        { value: 7.38, label: "upper bound 7.38" },
      ],
      title: "Where each scheduler gives way",
      subtitle: [subtitle, "λ* with its 95 % interval"],
    }),
  capacity: () =>
    bars({
      rows: capacities,
      series: scheduler,
      category: { column: "scenario" },
      value: { column: "lambda_star_qps", title: "stability boundary λ* (requests/s)" },
      bound: { column: "upper_bound_qps", title: "upper bound for any policy" },
      title: "What each scheduler can carry",
      subtitle,
    }),
};

describe.each(Object.entries(SPECS))("golden spec %s", (name, make) => {
  test("is what it was", async () => {
    await expect(`${JSON.stringify(make(), null, 1)}\n`).toMatchFileSnapshot(`../golden/charts/${name}.json`);
  });
  test("comes out the same twice and leaves its rows alone", () => {
    expect(JSON.stringify(make())).toBe(JSON.stringify(make()));
  });
  test("compiles without warnings", () => {
    expect(warningsOf(make())).toEqual([]);
  });
});
