/**
 * What a panel of lines is made of: a measure against a position, a line per series. Shared words of the
 * line figures and the dashboards.
 */
import type { Row } from "./rows.js";
import type { Rule } from "./rules.js";

/** The x axis. */
export interface Position {
  readonly column: string;
  readonly title: string;
  /** "log2" for sizes that double. Default linear. */
  readonly scale?: "linear" | "log2";
  /** The axis starts at 0 (time). Default: where the data start. */
  readonly zero?: boolean;
  /** Rows with an empty x become horizontal rules with this label (`no chunking`); else they are left out. */
  readonly none?: string;
}

/** The metric of a panel: its column, with `<column>_ci95_low` and `_high` when the table has them. */
export interface Measure {
  readonly column: string;
  readonly title: string;
  /** Horizontal reference rules. */
  readonly rules?: readonly Rule[];
  /** Start a linear axis at 0 and never pick a logarithmic one. */
  readonly zero?: boolean;
}

/** What makes a line: a column and its title in the legend. */
export interface SeriesBy {
  readonly column: string;
  readonly title: string;
}

/** A panel: a measure against a position, for rows of a table. */
export interface Panel {
  readonly rows: readonly Row[];
  readonly x: Position;
  readonly y: Measure;
  readonly series: SeriesBy;
  /** Vertical reference rules (λ*). */
  readonly verticalRules?: readonly Rule[];
}
