/**
 * One metric against an x (time window, chunk size, decode ratio, arrival rate): a line per series with its
 * 95 % interval as a band, a gap where a value is missing, points where they are few and spaced-out ones
 * where they are many, so that lines that coincide can still be told apart; optional reference rules.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Panel } from "./axes.js";
import { figure, type Heading } from "./figure.js";
import { linePanel } from "./line-panel.js";
import { seriesNames } from "./points.js";
import { stylesOf } from "./theme.js";

export interface LineBandOptions extends Panel, Heading {
  readonly width?: number;
  readonly height?: number;
}

/** A figure of one panel. */
export function lineBand(options: LineBandOptions): TopLevelSpec {
  const width = options.width ?? 680;
  const styles = stylesOf(seriesNames([options]));
  const { view, description, marks } = linePanel(options, styles, {
    width,
    height: options.height ?? 340,
    xTitle: true,
  });
  return figure({
    title: options.title,
    ...(options.subtitle === undefined ? {} : { subtitle: options.subtitle }),
    views: [view],
    columns: 1,
    width,
    legend: { heading: options.series.title, styles, marks },
    description,
  });
}
