/** Throughput, utilization and other single numbers: a dot a scheduler with its 95 % interval, on one scale, as SVG. */
import { metricOf } from "../core/measures/metrics.js";
import { scaleOf, withInterval } from "../experiments/cells/quantity.js";
import type { TrialRecords } from "../experiments/interface/trials.js";
import { summarize } from "../stats/index.js";
import { element, the } from "./elements.js";
import { colorOf } from "./styles.js";

const SHOWN = ["throughput_qps", "output_tokens_per_s", "utilization", "number_in_system"];
const TITLES = ["Throughput, requests per s", "Output tokens per s", "Utilization", "Requests in the system"];
const WIDTH = 150;
const ROW = 22;

function svg(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** A dot and its interval from 0 to `most`. */
function mark(mean: number, low: number, high: number, most: number, color: string): SVGElement {
  const x = (value: number): number => 6 + (Math.max(0, value) / most) * (WIDTH - 12);
  const picture = svg("svg", { width: WIDTH, height: ROW, "aria-hidden": "true" });
  const line = (from: number, to: number, y: number, stroke: string, width: number): SVGElement =>
    svg("line", { x1: from, x2: to, y1: y, y2: y, stroke, "stroke-width": width });
  picture.append(line(6, WIDTH - 6, ROW / 2, "#8888", 1));
  if (!Number.isFinite(mean)) return picture;
  if (Number.isFinite(low)) picture.append(line(x(low), x(high), ROW / 2, color, 5));
  picture.append(svg("circle", { cx: x(mean), cy: ROW / 2, r: 4.5, fill: color }));
  return picture;
}

export function showIntervals(labels: readonly string[], records: TrialRecords): void {
  const tables = SHOWN.map((name, k) => {
    const { unit } = metricOf(name)!;
    const summaries = labels.map((_, i) => summarize(records.metric(i, name)));
    const most = Math.max(
      ...summaries.map(({ mean, high }) => (Number.isFinite(high) ? high : mean || 0)),
      1e-9,
    );
    return element(
      "table",
      {},
      element("caption", {}, TITLES[k]),
      element(
        "tbody",
        {},
        ...summaries.map((one, i) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, labels[i]),
            element("td", {}, mark(one.mean, one.low, one.high, most, colorOf(labels[i], i))),
            element("td", {}, withInterval(one, scaleOf(unit, [one.mean]))),
          ),
        ),
      ),
    );
  });
  the("intervals").replaceChildren(...tables.map((one) => element("div", { class: "scroll" }, one)));
}
