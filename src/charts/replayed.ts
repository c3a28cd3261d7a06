/**
 * A replayed run: for each time of a request a panel of the simulated value against the measured one, a point a
 * request. Requests on the line are right; a cloud beside it is a bias, one that is wide is noise.
 */
import type { TopLevelSpec } from "vega-lite";
import { agreementPanel } from "./agreement-panel.js";
import { figure, type Heading } from "./figure.js";
import { short } from "./text.js";
import { stylesOf } from "./theme.js";

/** One time of all requests that have it. */
export interface ReplayedTime {
  /** What it is, e.g. `TTFT`. */
  readonly title: string;
  readonly unit: string;
  /** Pairs in that unit. */
  readonly pairs: readonly { readonly measured: number; readonly simulated: number }[];
}

export interface ReplayedOptions extends Heading {
  readonly times: readonly ReplayedTime[];
}

const PANEL = { width: 300, height: 300 };
/** Digits of a point on a picture. */
const DIGITS = 5;

/** The panels side by side; times without a request are left out. */
export function replayed({ times, ...heading }: ReplayedOptions): TopLevelSpec {
  const shown = times.filter(({ pairs }) => pairs.length > 0);
  const [style] = stylesOf(["request"]);
  const digits = (value: number): number => Number(value.toPrecision(DIGITS));
  const views = shown.map(({ title, unit, pairs }) => {
    const values = pairs.map(({ measured, simulated }) => ({
      measured: digits(measured),
      simulated: digits(simulated),
    }));
    return {
      data: { values },
      ...agreementPanel({
        x: "measured",
        y: "simulated",
        xTitle: `measured ${title} (${unit})`,
        yTitle: `simulated ${title} (${unit})`,
        values,
        size: PANEL,
        mark: { type: "point", filled: true, opacity: 0.5, size: 20, color: style.color },
        encoding: {},
      }),
    };
  });
  return figure({
    ...heading,
    views,
    columns: shown.length,
    width: shown.length * PANEL.width + (shown.length - 1) * 70,
    legend: { heading: "", styles: [], marks: [] },
    description: shown.map(describe).join(" "),
  });
}

function describe({ title, unit, pairs }: ReplayedTime): string {
  const mean = (of: (pair: ReplayedTime["pairs"][number]) => number): number =>
    pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const [real, ours] = [mean(({ measured }) => measured), mean(({ simulated }) => simulated)];
  return `Simulated against measured ${title} of ${pairs.length} requests: mean ${short(ours)} ${unit} against ${short(real)} ${unit}.`;
}
