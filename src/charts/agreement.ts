/**
 * A fit against what was measured: the fitted value over the measured one, with the line of agreement, and the
 * relative error over a size. Points are told apart by kind; a good fit hugs the line on the left and zero on the right.
 */
import type { TopLevelSpec } from "vega-lite";
import { agreementPanel } from "./agreement-panel.js";
import type { View } from "./view.js";
import { measureEncoding, positionEncoding, styleEncodings } from "./encodings.js";
import { figure, type Heading } from "./figure.js";
import { distinctNames } from "./rows.js";
import { measureScale, positionScale } from "./scales.js";
import { short } from "./text.js";
import { stylesOf } from "./theme.js";

/** One point. */
export interface Agreement {
  readonly kind: string;
  readonly measured: number;
  readonly fitted: number;
  /** What the error is drawn against. */
  readonly size: number;
  readonly [column: string]: unknown;
}

export interface AgreementOptions extends Heading {
  readonly points: readonly Agreement[];
  /** The quantity with its unit, e.g. `iteration time (ms)`. */
  readonly quantity: string;
  readonly kinds: string;
  readonly size: string;
}

const PANEL = { width: 460, height: 340 };
/** Digits of a point on a picture. */
const DIGITS = 5;

/** The two panels. */
export function agreement({ points, quantity, kinds, size, ...heading }: AgreementOptions): TopLevelSpec {
  const series = { column: "kind", title: kinds };
  const styles = stylesOf(distinctNames(points, "kind"));
  const digits = (value: number): number => Number(value.toPrecision(DIGITS));
  const values = points.map(({ kind, measured, fitted, size: at }) => ({
    kind,
    measured: digits(measured),
    fitted: digits(fitted),
    error: digits(100 * (fitted / measured - 1)),
    size: at,
  }));
  // The widest kind lies undermost: rare ones stay visible.
  const count = (name: string): number => values.filter(({ kind }) => kind === name).length;
  const order = new Map(styles.map(({ name }) => [name, count(name)]));
  values.sort((a, b) => order.get(b.kind)! - order.get(a.kind)!);

  const errors = measureScale(values.map(({ error }) => error).concat(0), [], true);
  const sizes = positionScale(
    [...new Set(values.map((value) => value.size))].sort((a, b) => a - b),
    [],
    "log2",
    false,
  );
  const { color, shape } = styleEncodings(series, styles);
  const mark = { type: "point", filled: true, opacity: 0.6, size: 24 };
  const against = positionEncoding({ column: "size", title: `${size}, log scale` }, sizes, { xTitle: true });
  const error = measureEncoding({ column: "error", title: "error (%)" }, errors, PANEL, 0, false);
  const left = agreementPanel({
    x: "measured",
    y: "fitted",
    xTitle: `measured ${quantity}`,
    yTitle: `fitted ${quantity}`,
    values,
    size: PANEL,
    mark,
    encoding: { color, shape },
  });
  const right: View = {
    ...PANEL,
    mark,
    encoding: { x: { ...against, field: "size" }, y: { ...error, field: "error" }, color, shape },
  };
  return figure({
    ...heading,
    views: [{ data: { values }, hconcat: [left, right], spacing: 32 }],
    columns: 2,
    width: 2 * PANEL.width + 70,
    legend: { heading: kinds, styles, marks: [] },
    description: describe(values, quantity),
  });
}

function describe(
  values: readonly { readonly kind: string; readonly error: number }[],
  quantity: string,
): string {
  const told = distinctNames(values, "kind").map((kind) => {
    const sizes = values.filter((value) => value.kind === kind).map(({ error }) => Math.abs(error));
    const mean = sizes.reduce((sum, value) => sum + value, 0) / sizes.length;
    const most = sizes.reduce((a, b) => Math.max(a, b), 0);
    return `${kind}: ${sizes.length} points, mean absolute error ${short(mean)} %, largest ${short(most)} %`;
  });
  return `Fitted against measured ${quantity}. ${told.join("; ")}.`;
}
