/**
 * What the earlier study published (docs/model.md §6): its means, held against the tables. These are its numbers, not
 * ours: no rerun changes them.
 */
import type { Row } from "../interface/report.js";
import type { Finding } from "./findings.js";
import { change, num, told } from "./values.js";

interface Said {
  readonly of: string;
  readonly metric: string;
  readonly title: string;
  readonly value: number;
}

const means = (of: string, ttft: number, tbt: number, p95: number): Said[] => [
  { of, metric: "ttft_mean_s", title: "mean TTFT", value: ttft },
  { of, metric: "tbt_mean_s", title: "mean TBT", value: tbt },
  { of, metric: "rts_p95_s", title: "P95 response time", value: p95 },
];

/** By table: the column that names a row, and the study's values. */
const SAID: Readonly<Record<string, { readonly key: string; readonly values: readonly Said[] }>> = {
  "demo2_final_results.csv": {
    key: "scheduler",
    values: [
      ...means("decode-prioritizing", 2.2517, 0.013232, 7.0985),
      ...means("prefill-prioritizing", 0.10511, 0.014801, 4.6398),
      ...means("hybrid", 0.1021, 0.014256, 4.4081),
    ],
  },
  "chunk_size_sweep_decode_tmax5000.csv": {
    key: "chunk_size",
    values: (
      [
        ["", 2.2497],
        ["64", 5.6371],
        ["512", 2.2535],
      ] as const
    ).map(([of, value]) => ({ of, metric: "ttft_mean_s", title: "mean TTFT", value })),
  },
};

/** The tables of which it said something. */
export const STUDY_TABLES: readonly string[] = Object.keys(SAID);

/** Close enough to be the same finding: both are means of 100 trials. */
const SAME = 0.01;

/** The study's values beside those of a table; undefined when it said nothing of it. */
export function studySaid(file: string, rows: readonly Row[]): Finding | undefined {
  const said = SAID[file];
  if (!said) return undefined;
  const found = said.values.flatMap((one) => {
    const row = rows.find((candidate) => String(candidate[said.key] ?? "") === one.of);
    return row ? [{ ...one, row, off: num(row, one.metric) / one.value - 1 }] : [];
  });
  if (found.length === 0) return undefined;
  const far = found.filter(({ off }) => !(Math.abs(off) <= SAME));
  const largest = found.reduce((most, { off }) => Math.max(most, Math.abs(off)), 0);
  return {
    says: [
      far.length === 0
        ? `All ${found.length} means that the study published are within ${change(largest).replace("+", "")} of these.`
        : `${far.length} of the ${found.length} means that the study published are more than 1 % away from these.`,
    ],
    table: {
      columns: [
        said.key === "scheduler" ? "scheduler" : "chunk size",
        "metric",
        "the study",
        "here",
        "off by",
      ],
      rows: found.map(({ of, title, value, row, metric, off }) => [
        of === "" ? "none" : of,
        title,
        `${value} s`,
        told(row, metric, "s"),
        change(off),
      ]),
    },
  };
}
