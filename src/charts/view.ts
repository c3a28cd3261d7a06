/** One view of a figure: a unit or layered Vega-Lite spec, as plain data. */
export type View = Readonly<Record<string, unknown>>;
