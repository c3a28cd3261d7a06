/**
 * What each kind of result table says: sentences, a table and the figures that show it, all computed from its rows.
 * Nothing here knows a result: a rerun that came out differently would be told differently.
 */
import type { Row } from "../interface/report.js";
import type { TableOf } from "./page.js";
import { apart, change, least, listed, nameIn, num, plain, spread, told } from "./values.js";

/** What is said of one table. */
export interface Finding {
  readonly says: readonly string[];
  readonly table?: TableOf;
}

const P95 = "rts_p95_s";
const SHOWN: readonly (readonly [metric: string, title: string, unit: string])[] = [
  ["ttft_mean_s", "TTFT", "s"],
  ["tbt_mean_s", "TBT", "s"],
  ["itl_p99_s", "ITL p99", "s"],
  [P95, "RTS p95", "s"],
  ["throughput_qps", "requests per s", ""],
];

const metricsTable = (rows: readonly Row[], key: string, title: string): TableOf => ({
  columns: [title, ...SHOWN.map(([, name]) => name)],
  rows: rows.map((row) => [nameIn(row, key), ...SHOWN.map(([metric, , unit]) => told(row, metric, unit))]),
});

/** validation.csv: theory against the simulator. */
export function validation(rows: readonly Row[]): Finding {
  const failed = rows.filter(({ verdict }) => verdict !== "pass");
  const checks = [...new Set(rows.map(({ check }) => String(check)))];
  const worst = (of: readonly Row[]): number =>
    of.reduce((most, row) => Math.max(most, Math.abs(num(row, "relative_error")) || 0), 0);
  return {
    says: [
      failed.length === 0
        ? `All ${rows.length} comparisons with ${checks.length} known answers pass; the largest relative error is ${change(worst(rows)).replace("+", "")}.`
        : `${failed.length} of ${rows.length} comparisons with known answers FAIL: ${listed([...new Set(failed.map(({ check, metric }) => `${check} (${metric})`))])}.`,
    ],
    table: {
      columns: ["known answer", "comparisons", "passed", "largest relative error"],
      rows: checks.map((check) => {
        const own = rows.filter((row) => String(row.check) === check);
        const passed = own.filter(({ verdict }) => verdict === "pass").length;
        return [check, String(own.length), String(passed), change(worst(own)).replace("+", "")];
      }),
    },
  };
}

/** From half the window on, P95 has grown by more than this share: it grows with the window, whose queues grow. */
const STILL_GROWS = 0.25;

/** A scheduler at the longest window, and at half of it or before. */
interface Settling {
  readonly final: Row;
  readonly half: Row | undefined;
}

/**
 * Whether times grow with the window, as they do in overload: a stable system's settle, an overloaded one's double with
 * the window. One window alone cannot tell.
 */
const growsOn = ({ final, half }: Settling): boolean =>
  half !== undefined && num(final, P95) / num(half, P95) - 1 > STILL_GROWS && apart(final, half, P95);

/** Metrics at the longest window, and how they came there. Who does not keep up with the load is not ranked. */
export function timeWindows(rows: readonly Row[]): Finding {
  const longest = rows.reduce((most, row) => Math.max(most, num(row, "t_max_s")), 0);
  const final = rows.filter((row) => num(row, "t_max_s") === longest);
  if (!least(final, P95)) return { says: ["No request was measured."] };
  const upToHalf = rows.filter((row) => num(row, "t_max_s") <= longest / 2);
  const settling = final.map((row): Settling => {
    const own = upToHalf.filter((other) => nameIn(other) === nameIn(row));
    const at = own.reduce((most, other) => Math.max(most, num(other, "t_max_s")), 0);
    return { final: row, half: own.find((other) => num(other, "t_max_s") === at) };
  });
  const growing = settling.filter(growsOn);
  const keepingUp = final.filter((row) => !growing.some((one) => one.final === row));
  return {
    says: [
      ...bestOf(keepingUp, longest),
      ...growing.map(
        ({ final: row, half }) =>
          `${nameIn(row)} does not keep up with λ = ${plain(num(row, "lambda_qps"))} per s: its P95 grows with the window, ${told(half!, P95, "s")} at T = ${plain(num(half, "t_max_s"))} s and ${told(row, P95, "s")} at ${plain(longest)} s, and says nothing of a longer one.`,
      ),
      ...movement(rows, keepingUp, longest),
    ],
    table: metricsTable(
      final.map((row) =>
        keepingUp.includes(row) ? row : { ...row, scheduler: `${nameIn(row)}, not keeping up` },
      ),
      "scheduler",
      "scheduler",
    ),
  };
}

/** Who has the lowest P95 of those that keep up with the load. */
function bestOf(final: readonly Row[], longest: number): string[] {
  const best = least(final, P95);
  if (!best) return ["No scheduler keeps up with the load."];
  const others = final
    .filter((row) => row !== best)
    .map((row) => {
      const ratio = num(row, P95) / num(best, P95) - 1;
      return apart(row, best, P95)
        ? `${nameIn(row)}'s is ${change(ratio).replace("+", "")} higher`
        : `${nameIn(row)}'s interval overlaps it`;
    });
  return [
    `At T = ${plain(longest)} s ${nameIn(best)} has the lowest P95 response time, ${told(best, P95, "s")}${others.length > 0 ? `; ${listed(others)}` : ""}.`,
  ];
}

/** How much P95 still moves from half the window on. */
function movement(rows: readonly Row[], final: readonly Row[], longest: number): string[] {
  const late = rows.filter((row) => num(row, "t_max_s") >= longest / 2);
  const moved = final.map((row) => {
    const own = late.filter((other) => nameIn(other) === nameIn(row));
    return { count: own.length, words: `${change(spread(own, P95)).replace("+", "")} (${nameIn(row)})` };
  });
  if (!moved.some(({ count }) => count > 1)) return [];
  return [`From half that window on, P95 moves by ${listed(moved.map(({ words }) => words))}.`];
}

/** λ* against the bound, and how the two tests judge the same rates. */
export function capacity(rows: readonly Row[], points: readonly Row[]): Finding {
  const ordered = [...rows].sort((a, b) => num(b, "lambda_star_qps") - num(a, "lambda_star_qps"));
  const bound = num(rows[0], "upper_bound_qps");
  const interval = (row: Row): string =>
    Number.isFinite(num(row, "ci95_low"))
      ? `${plain(num(row, "ci95_low"))} to ${plain(num(row, "ci95_high"))}`
      : "no interval";
  const stars = ordered.map((row) =>
    Number.isFinite(num(row, "lambda_star_qps"))
      ? `${nameIn(row)} up to λ* = ${plain(num(row, "lambda_star_qps"))} per s (${interval(row)})`
      : `${nameIn(row)} has no boundary that can be trusted`,
  );
  const disagree = points.filter(
    ({ verdict, trend_verdict: trend }) => verdict !== "undecided" && trend !== null && verdict !== trend,
  ).length;
  return {
    says: [
      `Stable: ${listed(stars)}.`,
      ...(Number.isFinite(bound)
        ? [
            `No policy can serve more than ${plain(bound)} per s; they reach ${listed(ordered.map((row) => `${plain(100 * num(row, "fraction_of_bound"))} % of that (${nameIn(row)})`))}.`,
          ]
        : []),
      ...(points.length > 0
        ? [
            `The trend test and the drift test disagree at ${disagree} of the ${points.length} rates that were judged: a start from empty rises at first, stable or not.`,
          ]
        : []),
    ],
    table: {
      columns: ["scheduler", "λ* per s", "95 % interval", "stable at", "unstable at", "bound", "of bound"],
      rows: rows.map((row) => [
        nameIn(row),
        plain(num(row, "lambda_star_qps")),
        interval(row),
        plain(num(row, "stable_up_to_qps")),
        plain(num(row, "unstable_from_qps")),
        plain(num(row, "upper_bound_qps")),
        `${plain(100 * num(row, "fraction_of_bound"))} %`,
      ]),
    },
  };
}

/** Chunk sizes against no chunking. */
export function chunkSizes(rows: readonly Row[]): Finding {
  const without = rows.find(({ chunk_size: size }) => size === null);
  const sized = rows.filter((row) => Number.isFinite(num(row, "chunk_size")));
  if (!without || sized.length === 0)
    return { says: [], table: metricsTable(rows, "chunk_size", "chunk size") };
  const better = sized.filter((row) => num(row, P95) < num(without, P95) && apart(row, without, P95));
  const same = sized.filter((row) => Math.abs(num(row, P95) / num(without, P95) - 1) <= 0.01);
  const worst = sized.reduce((most, row) => (num(row, P95) > num(most, P95) ? row : most));
  const sizes = (some: readonly Row[]): string => listed(some.map((row) => nameIn(row, "chunk_size")));
  return {
    says: [
      better.length > 0
        ? `${nameIn(without)}: chunks of ${sizes(better)} tokens lower P95 against no chunking (${told(without, P95, "s")}), at best to ${told(least(better, P95)!, P95, "s")}.`
        : `${nameIn(without)}: no chunk size lowers P95 against no chunking, ${told(without, P95, "s")}; ${same.length > 0 ? `${sizes(same)} ${same.length === 1 ? "keeps" : "keep"} it within 1 %` : "none keeps it within 1 %"}.`,
      `At the worst size, ${nameIn(worst, "chunk_size")} tokens, P95 is ${told(worst, P95, "s")} and mean TTFT ${told(worst, "ttft_mean_s", "s")}, against ${told(without, "ttft_mean_s", "s")} without chunking.`,
    ],
    table: metricsTable(rows, "chunk_size", "chunk size"),
  };
}

/** The decode ratio: whether it matters, and whether it ever decided anything. */
export function decodeRatios(rows: readonly Row[]): Finding {
  const binding = Math.max(
    ...rows.map((row) => Math.max(num(row, "decode_limit_binding"), num(row, "prefill_limit_binding"))),
  );
  const moved = spread(rows, P95);
  return {
    says: [
      `From ratio ${nameIn(rows[0], "ratio")} to ${nameIn(rows.at(-1)!, "ratio")}, P95 response time ${moved === 0 ? "is the same to the last digit" : `stays within ${change(moved).replace("+", "")}`} (${told(least(rows, P95) ?? rows[0], P95, "s")}).`,
      binding === 0
        ? "The ratio never bound: in no iteration did it decide how much was decoded or prefilled."
        : `The ratio decided in at most ${plain(100 * binding)} % of the iterations.`,
    ],
    table: metricsTable(rows, "ratio", "ratio"),
  };
}

/** Chunking apart from b0, which share a table. */
export function chunkingImpact(rows: readonly Row[]): Finding {
  const says = [...new Set(rows.map((row) => num(row, "b0")))].map((b0) => {
    const own = rows.filter((row) => num(row, "b0") === b0);
    const parts = [...new Set(own.map((row) => nameIn(row)))].flatMap((scheduler) => {
      const [chunked, whole] = [false, true].map((isWhole) =>
        own.find((row) => nameIn(row) === scheduler && (row.chunk_size === null) === isWhole),
      );
      if (!chunked || !whole) return [];
      const [a, b] = [num(chunked, "lambda_star_qps"), num(whole, "lambda_star_qps")];
      const isResolved =
        num(chunked, "ci95_low") > num(whole, "ci95_high") ||
        num(whole, "ci95_low") > num(chunked, "ci95_high");
      return [
        `${scheduler} ${change(a / b - 1)}${isResolved ? "" : " (not resolved)"} (${plain(b)} to ${plain(a)} per s)`,
      ];
    });
    return `At b0 = ${b0}, chunks change λ*: ${listed(parts)}.`;
  });
  return {
    says,
    table: {
      columns: ["scheduler", "b0", "chunk size", "λ* per s", "95 % interval"],
      rows: rows.map((row) => [
        nameIn(row),
        String(row.b0),
        nameIn(row, "chunk_size"),
        plain(num(row, "lambda_star_qps")),
        `${plain(num(row, "ci95_low"))} to ${plain(num(row, "ci95_high"))}`,
      ]),
    },
  };
}
