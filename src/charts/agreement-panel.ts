/** One panel of agreement: a value found against the value measured, with the line on which both are equal. */
import type { View } from "./view.js";
import { measureEncoding, positionEncoding } from "./encodings.js";
import { measureScale } from "./scales.js";
import { MUTED } from "./theme.js";

export interface AgreementPanel {
  /** Columns of the values. */
  readonly x: string;
  readonly y: string;
  /** Titles, units included. */
  readonly xTitle: string;
  readonly yTitle: string;
  readonly values: readonly Readonly<Record<string, unknown>>[];
  readonly size: { readonly width: number; readonly height: number };
  readonly mark: View;
  /** Channels that tell points apart. */
  readonly encoding: View;
}

/** The panel, without the data of its points: the view around it has them. */
export function agreementPanel(panel: AgreementPanel): View {
  const { x, y, xTitle, yTitle, values, size, mark, encoding } = panel;
  const scale = measureScale(
    values.flatMap((value) => [value[x] as number, value[y] as number]),
    [],
  );
  const horizontal = positionEncoding({ column: x, title: `${xTitle}${scale.note}` }, scale, {
    xTitle: true,
  });
  const vertical = measureEncoding({ column: y, title: yTitle }, scale, size, 0, false);
  const both = { x: { ...horizontal, field: x }, y: { ...vertical, field: y } };
  const line = { type: "line", color: MUTED, strokeDash: [4, 4], strokeWidth: 1.5 };
  return {
    ...size,
    layer: [
      { data: { values: scale.domain.map((at) => ({ [x]: at, [y]: at })) }, mark: line, encoding: both },
      { mark, encoding: { ...both, ...encoding } },
    ],
  };
}
