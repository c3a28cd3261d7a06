/** The figure of a replayed run, from the table of its requests. */
import { replayed } from "../../charts/index.js";
import type { Figure, Row } from "../interface/report.js";
import { METRICS } from "./agreement.js";

export const replayFile = (name: string): string => `measured_${name}.png`;

/** Simulated against measured, a panel for each time. */
export function replayFigure(name: string, rows: readonly Row[]): Figure {
  const times = METRICS.map(({ key, title, unit, scale }) => ({
    title,
    unit,
    pairs: rows.flatMap((row) => {
      const [measured, simulated] = [`${key}_measured_s`, `${key}_simulated_s`].map((column) =>
        typeof row[column] === "number" ? row[column] * scale : NaN,
      );
      return Number.isFinite(measured) && Number.isFinite(simulated) ? [{ measured, simulated }] : [];
    }),
  }));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const errors = times
    .filter(({ pairs }) => pairs.length > 0)
    .map(({ title, pairs }) => {
      const real = mean(pairs.map(({ measured }) => measured));
      const pct = 100 * (mean(pairs.map(({ simulated }) => simulated)) / real - 1);
      return `${title} ${Number.isFinite(pct) ? `${pct < 0 ? "−" : "+"}${Math.abs(pct).toFixed(1)} %` : "–"}`;
    });
  return {
    path: replayFile(name),
    spec: replayed({
      title: `${name}: simulated against measured`,
      subtitle: `${rows.length} requests, a point each; errors of the means: ${errors.join(", ")}`,
      times,
    }),
  };
}

/** What the figure needs of the table. */
export const REPLAY_COLUMNS = METRICS.flatMap(({ key }) => [`${key}_measured_s`, `${key}_simulated_s`]);
