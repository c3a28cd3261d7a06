/**
 * The live charts: quantile curves of the times, and queues over time, each with its 95 % band over trials. uPlot
 * draws them on a canvas fast enough for a slider; the table under each says the same to those who cannot see it.
 */
import uPlot from "uplot";
import { instantsOf, POINTS, SHARES, CURVES } from "../experiments/explore/curves.js";
import { schedulerLabel } from "../experiments/tables/comparison.js";
import { plain } from "../experiments/cells/quantity.js";
import type { Study } from "../experiments/interface/study.js";
import { Moments } from "./moments.js";
import { element, isDark, table, the } from "./elements.js";
import type { Progress } from "./simulation.js";
import { colorOf, dashOf } from "./styles.js";

const TITLES: Readonly<Record<(typeof CURVES)[number], readonly [title: string, explained: string]>> = {
  ttft: ["TTFT", "time to first token, in seconds, by share of requests"],
  tbt: ["TBT", "mean time between the tokens of a request, in seconds, by share of requests"],
  itl: ["ITL", "every gap between two tokens, in seconds, by share of gaps"],
  rts: ["RTS", "response time, in seconds, by share of requests"],
  waiting: ["Waiting", "prompts that have not started, over time"],
  resident: ["Resident", "sequences started and not finished, over time"],
};
const isTime = (curve: number): boolean => curve >= 4;
const HEIGHT = 190;

/** Mean, low and high of one curve of one configuration, point by point. */
function band(moments: Moments, config: number, curve: number): (number | null)[][] {
  const rows: (number | null)[][] = [[], [], []];
  const isLog = !isTime(curve);
  const shown = (value: number, least: number): number | null =>
    Number.isFinite(value) && (!isLog || value > 0) ? value : isLog && least > 0 ? least : null;
  for (let p = 0; p < POINTS; p++) {
    const { mean, half } = moments.at(config, curve * POINTS + p);
    rows[0].push(shown(mean, 0));
    // On a scale of logarithms an interval that reaches below zero ends at a hundredth of the mean.
    rows[1].push(Number.isFinite(half) ? shown(mean - half, mean / 100) : null);
    rows[2].push(Number.isFinite(half) ? shown(mean + half, 0) : null);
  }
  return rows;
}

interface Chart {
  readonly plot: uPlot;
  readonly key: string;
  readonly box: HTMLElement;
  readonly words: HTMLElement;
}

/** The six charts; they are made anew when the schedulers or the colours change, else only get new data. */
export class Curves {
  private charts: Chart[] = [];
  private latest: { study: Study; progress: Progress } | undefined;
  private moments = new Moments();
  /** Times that data were drawn. */
  drawn = 0;

  constructor() {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.again());
    new ResizeObserver(() => {
      for (const { plot, box } of this.charts)
        if (box.clientWidth > 0 && box.clientWidth !== plot.width)
          plot.setSize({ width: box.clientWidth, height: HEIGHT });
    }).observe(the("charts"));
  }

  show(study: Study, progress: Progress): void {
    // Another study's curves: another plan, whose first trial is another array.
    if (this.moments.first !== progress.curves[0]) this.moments = new Moments();
    this.moments.take(progress.curves);
    this.latest = { study, progress };
    const labels = study.schedulers.map((scheduler) => schedulerLabel({ scheduler }));
    const key = `${labels.join()} ${isDark()}`;
    if (this.charts[0]?.key !== key) this.rebuild(labels, key);
    const instants = instantsOf(study.config);
    CURVES.forEach((_, c) => {
      const xs = isTime(c) ? instants : SHARES.map((share) => 100 * share);
      const series = labels.flatMap((_label, i) => band(this.moments, i, c));
      this.charts[c].plot.setData([xs, ...series] as uPlot.AlignedData);
      this.describe(c, labels, xs, series);
    });
    this.drawn++;
    the("charts").dataset.drawn = String(this.drawn);
  }

  private again(): void {
    if (this.latest) this.show(this.latest.study, this.latest.progress);
  }

  /** The chart's numbers, when somebody has opened them. */
  private describe(
    c: number,
    labels: readonly string[],
    xs: readonly number[],
    series: (number | null)[][],
  ): void {
    const { words } = this.charts[c];
    const fill = (): void => {
      const every = xs.flatMap((_, p) => (p % 10 === 0 ? [p] : []));
      words.replaceChildren(
        element("summary", {}, "as a table"),
        table(
          "",
          [isTime(c) ? "time, s" : "share, %", ...labels],
          every.map((p) => [
            plain(xs[p]),
            ...labels.map((_, i) => {
              const [mean, low, high] = [0, 1, 2].map((row) => series[3 * i + row][p] ?? NaN);
              return Number.isFinite(high) ? `${plain(mean)} (${plain(low)} to ${plain(high)})` : plain(mean);
            }),
          ]),
        ),
      );
    };
    words.ontoggle = fill;
    if ((words as HTMLDetailsElement).open) fill();
  }

  private rebuild(labels: readonly string[], key: string): void {
    for (const { plot } of this.charts) plot.destroy();
    const place = the("charts");
    place.replaceChildren();
    this.charts = CURVES.map((name, c) => {
      const [title, explained] = TITLES[name];
      const box = element("div", { role: "img", "aria-label": `${title}: ${explained}` });
      const words = element("details", {}, element("summary", {}, "as a table"));
      place.append(
        element(
          "figure",
          {},
          element("figcaption", {}, element("b", {}, title), ` ${explained}`),
          box,
          words,
        ),
      );
      return {
        plot: new uPlot(optionsOf(labels, c, box.clientWidth || 320), undefined, box),
        key,
        box,
        words,
      };
    });
    the("legend").replaceChildren(...labels.map((label, i) => legendEntry(label, i)));
  }
}

function legendEntry(label: string, i: number): HTMLElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("width", "36");
  svg.setAttribute("height", "10");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const attributes = { x1: 0, x2: 36, y1: 5, y2: 5, stroke: colorOf(label, i), "stroke-width": 3 };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, String(value));
  line.setAttribute("stroke-dasharray", dashOf(label, i).join(" "));
  svg.append(line);
  return element("li", {}, svg as unknown as Node, ` ${label}`);
}

function optionsOf(labels: readonly string[], curve: number, width: number): uPlot.Options {
  const ink = isDark() ? "#dddddd" : "#333333";
  const grid = { stroke: isDark() ? "#33363d" : "#e8e8e8", width: 1 };
  const axis = { stroke: ink, grid, ticks: grid, font: "11px system-ui, sans-serif" };
  const isLog = !isTime(curve);
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false },
    scales: {
      x: { time: false },
      // Means and bands of a log scale come as they are; a queue starts at zero.
      y: isLog ? { distr: 3 } : { range: (_, __, max) => [0, Math.max(1, max * 1.05)] },
    },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map((tick) => (isTime(curve) ? String(tick) : `${tick} %`)) },
      { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : String(tick))) },
    ],
    series: [
      {},
      ...labels.flatMap((label, i): uPlot.Series[] => {
        const stroke = colorOf(label, i);
        const points = { show: false };
        return [
          { label, stroke, width: 2, dash: [...dashOf(label, i)], points },
          { stroke: "transparent", width: 0, points },
          { stroke: "transparent", width: 0, points },
        ];
      }),
    ],
    bands: labels.map((label, i) => ({
      series: [3 * i + 3, 3 * i + 2] as [number, number],
      fill: `${colorOf(label, i)}30`,
    })),
  };
}
