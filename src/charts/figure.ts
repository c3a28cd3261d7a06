/**
 * Puts views together into one figure: title and subtitle (wrapped, so that nothing is clipped), the legend
 * strip, and the views in a grid. The only place where plain objects become a typed Vega-Lite spec.
 */
import type { TopLevelSpec } from "vega-lite";
import type { View } from "./view.js";
import { legendStrip, type LegendMark } from "./legend.js";
import { CONFIG, SIZE, type Style } from "./theme.js";
import { wrap } from "./text.js";

/** Title and subtitle. The subtitle says what a reader must know: scenario, trials, seed, conventions. */
export interface Heading {
  readonly title: string;
  readonly subtitle?: string | readonly string[];
}

/** What a figure is made of. */
export interface FigureParts extends Heading {
  readonly views: readonly View[];
  readonly columns: number;
  /** The width of one row of views in pixels, axes left out. */
  readonly width: number;
  readonly legend: {
    readonly heading: string;
    readonly styles: readonly Style[];
    readonly marks: readonly LegendMark[];
  };
  /** The text alternative, without the title. */
  readonly description: string;
}

/** The finished spec: standing alone, with data, theme and description inside. */
export function figure(parts: FigureParts): TopLevelSpec {
  const { views, columns, width, legend } = parts;
  const strip = legendStrip(legend.heading, legend.styles, legend.marks, width);
  const grid = views.length === 1 ? views[0] : { concat: views, columns, spacing: { row: 28, column: 32 } };
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: `${parts.title}. ${parts.description}`,
    title: heading(parts, width),
    vconcat: strip === null ? [grid] : [strip, grid],
    spacing: 22,
    config: CONFIG,
  };
  return spec as unknown as TopLevelSpec;
}

function heading({ title, subtitle = [] }: Heading, width: number): View {
  const lines = typeof subtitle === "string" ? [subtitle] : subtitle;
  const wrapped = lines.filter((line) => line !== "").flatMap((line) => wrap(line, width, SIZE.subtitle));
  return {
    text: wrap(title, width, SIZE.title, true),
    ...(wrapped.length > 0 ? { subtitle: wrapped } : {}),
  };
}

/** The same figure with one line more under its title. */
export function withSubtitle(spec: object, line: string): object {
  const { title } = spec as { title: { subtitle?: readonly string[] } };
  return { ...spec, title: { ...title, subtitle: [...(title.subtitle ?? []), line] } };
}
