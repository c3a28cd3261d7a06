/** Tables of others: numbers at the ends of what a double holds, and more series than anybody can read. */
import { describe, expect, test } from "vitest";
import { lineBand } from "../../src/charts/index.js";
import { measureScale, positionScale } from "../../src/charts/scales.js";
import { hybridDashboard } from "../../src/experiments/figures/hybrid.js";
import { replayFigure } from "../../src/experiments/measured/figure.js";
import { renderSvg } from "../../src/io/png.js";
import type { TopLevelSpec } from "vega-lite";
import { warningsOf } from "./compile.js";

const EXTREMES = [0, -0, 5e-324, -5e-324, 1e-300, 1, 1e300, 1e308, Number.MAX_VALUE, -Number.MAX_VALUE];

describe("axes", () => {
  test("end where numbers do, whatever the values are", () => {
    for (const a of [...EXTREMES, Infinity, -Infinity])
      for (const b of EXTREMES)
        for (const zero of [true, false]) {
          const scales = [
            measureScale([a, b], [b], zero),
            positionScale([a, b], [b], "linear", zero),
            positionScale([a, b], [], "log2", zero),
          ];
          for (const { domain, ticks = [] } of scales) {
            expect(domain.every(Number.isFinite), `${a} ${b}`).toBe(true);
            expect(ticks.length).toBeLessThan(2500);
          }
        }
  });
});

describe("a replayed run", () => {
  const names = ["ttft", "tpot", "e2e"];
  const row = (measured: number): Record<string, number> =>
    Object.fromEntries(
      names.flatMap((name) => [
        [`${name}_measured_s`, measured],
        [`${name}_simulated_s`, 1],
      ]),
    );

  test.each([Infinity, -Infinity, 1e308, Number.MAX_VALUE, 5e-324])(
    "with a request that took %s s is drawn",
    async (seconds) => {
      const { spec } = replayFigure("run", [row(0.5), row(seconds), row(0.7)]);
      expect(await renderSvg(spec as TopLevelSpec)).toContain("</svg>");
      expect(JSON.stringify(spec)).not.toMatch(/NaN|Infinity/);
    },
  );
});

describe("two thousand series", () => {
  const ratios = Array.from({ length: 2000 }, (_, i) => (i + 1) / 2001);

  test("are drawn, and a dozen of them named", () => {
    const rows = ratios.flatMap((ratio) =>
      [1, 2].map((t_max_s) => ({
        ratio,
        t_max_s,
        ...{ ttft_mean_s: ratio, tbt_mean_s: 1, rts_p95_s: 2, throughput_qps: 3 },
        ...{ decode_limit_binding: 1, prefill_limit_binding: 0 },
      })),
    );
    const spec = hybridDashboard("demo2", rows, "") as TopLevelSpec;
    expect(warningsOf(spec)).toEqual([]);
    const [legend] = (spec as unknown as { vconcat: { layer: { mark: { text?: string } }[] }[] }).vconcat;
    const texts = legend!.layer.flatMap(({ mark }) => mark.text ?? []);
    expect(texts.slice(0, 2)).toEqual(["decode ratio (12 of 2000)", String(ratios[0])]);
    expect(texts.at(-1)).toBe(String(ratios.at(-1)));
    expect(texts).toHaveLength(13);
  });

  test("without an x are rules, and a dozen of them are drawn", () => {
    const rows = [
      { size: 1, name: "a", value: 1 },
      ...ratios.map((value, i) => ({ size: "", name: `s${i}`, value })),
    ];
    const spec = lineBand({
      rows,
      x: { column: "size", title: "size", none: "none" },
      y: { column: "value", title: "value" },
      series: { column: "name", title: "name" },
      title: "rules",
    });
    expect(warningsOf(spec)).toEqual([]);
  });
});
