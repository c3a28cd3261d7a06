/**
 * The two demo3 scenarios against each other. They differ in b0 and in chunking at once, as in the earlier
 * study; only the table of `demo3_chunking_impact.csv` changes chunking alone.
 */
import { bars, dashboard } from "../../charts/index.js";
import type { Row } from "../interface/report.js";
import { capacityBars } from "./capacity.js";

/** A demo3 scenario with what it sets. */
interface Setting {
  readonly scenario: string;
  readonly b0: number;
  readonly chunk_size: number | null;
}

export const CHUNKED: Setting = { scenario: "demo3_b0_64", b0: 64, chunk_size: 64 };
export const UNCHUNKED: Setting = { scenario: "demo3_b0_0", b0: 0, chunk_size: null };

const chunking = (size: unknown): string => (typeof size === "number" ? `chunk ${size}` : "no chunking");
const TOGETHER = "the scenarios differ in b0 and in chunking";

/** Rates this far apart count as equal: the default grids lie around each scenario's own λ*. */
const ALIKE = 0.02;

/** The rate of each table that lie closest to each other; among equals the ones nearest the middle. */
function likeRates(a: readonly Row[], b: readonly Row[]): readonly [number, number] | undefined {
  const [own, other] = [a, b].map((rows) =>
    [...new Set(rows.map((row) => Number(row.lambda_qps)))].sort((x, y) => x - y),
  );
  const gap = (x: number, y: number): number => Math.abs(x - y) / Math.max(x, y, Number.MIN_VALUE);
  const pairs = own.flatMap((x) => other.map((y) => [x, y] as const));
  const least = pairs.reduce((most, [x, y]) => Math.min(most, gap(x, y)), Infinity);
  const middle = own[own.length >> 1];
  return pairs
    .filter(([x, y]) => gap(x, y) <= Math.max(least, ALIKE))
    .sort((p, q) => Math.abs(p[0] - middle) - Math.abs(q[0] - middle) || gap(...p) - gap(...q))[0];
}

/** Mean response time against T at like rates: a panel per scheduler, a line per scenario. */
export function chunkedOverTime(chunked: readonly Row[], unchunked: readonly Row[]): object | undefined {
  const rates: string[] = [];
  const names = [...new Set(chunked.map((row) => String(row.scheduler)))];
  const panels = names.flatMap((scheduler) => {
    const sides = [chunked, unchunked].map((rows) => rows.filter((row) => row.scheduler === scheduler));
    const pair = likeRates(sides[0], sides[1]);
    if (!pair) return [];
    rates.push(`${scheduler} ${pair[0] === pair[1] ? pair[0] : `${pair[0]} and ${pair[1]}`}`);
    const rows = [CHUNKED, UNCHUNKED].flatMap((setting, side) =>
      sides[side]
        .filter((row) => Number(row.lambda_qps) === pair[side])
        .map((row) => ({ ...row, setting: `b0 = ${setting.b0}, ${chunking(setting.chunk_size)}` })),
    );
    return [{ rows, y: { column: "rts_mean_s", title: `${scheduler}: mean RTS (s)` } }];
  });
  if (panels.length === 0) return undefined;
  return dashboard({
    rows: panels.flatMap(({ rows }) => rows),
    x: { column: "t_max_s", title: "time window T (s)", zero: true },
    series: { column: "setting", title: "scenario" },
    panels,
    title: "demo3: response time against the time window",
    subtitle: [
      `from empty, 95 % intervals; ${TOGETHER}`,
      `λ at b0 = ${CHUNKED.b0} and ${UNCHUNKED.b0} (requests/s): ${rates.join(", ")}`,
    ],
  });
}

/** λ* of both scenarios with the bound of each. */
export const capacityComparison = (chunked: readonly Row[], unchunked: readonly Row[]): object | undefined =>
  capacityBars(
    "demo3: stability boundaries",
    [
      ...chunked.map((row) => ({ ...row, scenario: CHUNKED.scenario })),
      ...unchunked.map((row) => ({ ...row, scenario: UNCHUNKED.scenario })),
    ],
    `λ* with 95 % intervals; ${TOGETHER}`,
    "scenario",
  );

/** Rows of `demo3_chunking_impact.csv`: chunking on and off next to each other, at the same b0. */
export const chunkingImpact = (rows: readonly Row[]): object | undefined =>
  impactBars(
    rows,
    "λ* with 95 % intervals, at the same b0; the earlier study changed b0 and chunking together",
  );

/** The same from the two scenarios' capacities, where nothing was run at the same b0. */
export const chunkingImpactOf = (chunked: readonly Row[], unchunked: readonly Row[]): object | undefined =>
  impactBars(
    [
      ...chunked.map((row) => ({ ...row, b0: CHUNKED.b0, chunk_size: CHUNKED.chunk_size })),
      ...unchunked.map((row) => ({ ...row, b0: UNCHUNKED.b0, chunk_size: UNCHUNKED.chunk_size })),
    ],
    "λ* with 95 % intervals; b0 and chunking change together here, as in the earlier study, so this does not show what chunking does by itself",
    false,
  );

function impactBars(all: readonly Row[], subtitle: string, isSameB0 = true): object | undefined {
  const rows = all
    .filter((row) => typeof row.lambda_star_qps === "number")
    .map((row) => ({
      group: isSameB0 ? `${row.scheduler}, b0 = ${row.b0}` : String(row.scheduler),
      setting: isSameB0 ? chunking(row.chunk_size) : `b0 = ${row.b0}, ${chunking(row.chunk_size)}`,
      lambda_star_qps: row.lambda_star_qps,
      lambda_star_qps_ci95_low: row.ci95_low,
      lambda_star_qps_ci95_high: row.ci95_high,
    }));
  if (rows.length === 0) return undefined;
  return bars({
    rows,
    series: { column: "setting", title: "chunking" },
    value: { column: "lambda_star_qps", title: "λ* (requests/s)" },
    category: { column: "group" },
    title: isSameB0 ? "demo3: chunking apart from b0" : "demo3: b0 and chunking together",
    subtitle,
  });
}
