/** `growth`: time and memory a request in one long trial against a short one, stable and unstable. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { demo2, SCHEDULERS } from "./demo2.js";
import { assertMeasured, table, wanted } from "./figures.js";

export const summary =
  "ns and bytes per request of one trial, ten million requests against a hundred thousand";

/** Long enough for ten million requests at every λ here; `maxRequests` ends the arrivals. */
const HORIZON_SECONDS = 8_000_000;
const POINT = fileURLToPath(new URL("growth-process.js", import.meta.url));

/** A stable load, and for each scheduler twice its boundary: the queue grows to millions. */
const CASES = [
  { kind: "hybrid", ratePerSecond: 2 },
  ...SCHEDULERS.map(({ kind, boundary }) => ({ kind, ratePerSecond: 2 * boundary })),
];

export function run({ isSmoke, say }) {
  const [few, many] = isSmoke ? [1000, 100_000] : [100_000, 10_000_000];
  const rows = CASES.map(({ kind, ratePerSecond }) => {
    const point = (maxRequests, trials) => {
      const config = demo2(kind, { tmaxSeconds: HORIZON_SECONDS, maxRequests }, ratePerSecond);
      const args = [POINT, JSON.stringify(config), String(trials)];
      return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    };
    const short = point(few, isSmoke ? 1 : 7);
    const long = point(many, 1);
    // Both with their buffers in place, as all trials of a worker but its first.
    const ratio = long.ns / short.ns;
    assertMeasured({ ...short, ...long, ratio });
    const bytes = Math.max(0, long.bytes - short.bytes) / (many - few);
    return [
      `${kind}, λ = ${ratePerSecond}`,
      short.ns.toFixed(0),
      long.ns.toFixed(0),
      long.first.toFixed(0),
      wanted(ratio, "≤", 1.5),
      wanted(bytes, "<", 100, 0),
    ];
  });
  say(table([["", `ns, ${few}`, `ns, ${many}`, "its first trial", "ratio", "bytes a request"], ...rows]));
}
