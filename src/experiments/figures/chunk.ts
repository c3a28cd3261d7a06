/** Metrics against the chunk size: a figure each, with the level without chunking as a line. */
import { lineBand } from "../../charts/index.js";
import type { Figure, Row } from "../interface/report.js";

const METRICS = [
  ["throughput", "throughput_qps", "throughput (requests/s)"],
  ["ttft", "ttft_mean_s", "mean TTFT (s)"],
  ["tbt", "tbt_mean_s", "mean TBT (s)"],
  ["rts_p95", "rts_p95_s", "P95 response time (s)"],
  ["itl_p99", "itl_p99_s", "P99 ITL (s)"],
] as const;

export const chunkFiles = (prefix: string): string[] =>
  METRICS.map(([file]) => `${prefix}${file}_vs_chunk.png`);

/**
 * @param rows of one or several chunk sweeps at the same T; an empty chunk size is no chunking
 * @param prefix of the file names; empty for demo2
 */
export const chunkFigures = (
  rows: readonly Row[],
  prefix: string,
  title: string,
  subtitle: string,
): Figure[] =>
  METRICS.map(([, column, name], i) => ({
    path: chunkFiles(prefix)[i],
    spec: lineBand({
      rows,
      x: { column: "chunk_size", title: "chunk size (tokens)", scale: "log2", none: "no chunking" },
      y: { column, title: name },
      series: { column: "scheduler", title: "scheduler" },
      title: `${title}, ${name.replace(/ \(.*/, "")}`,
      subtitle,
    }),
  }));
