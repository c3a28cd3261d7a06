/**
 * Stands in for src/io/png.ts in tests of what leads to a picture: a picture is a function of its chart and takes a
 * fifth of a second, so the chart stands for it. Commands draw for real in closed, compare, golden, hardware, measured,
 * process, sweep and terminal.
 */
export const renderPng = (spec: object): Promise<Buffer> =>
  Promise.resolve(Buffer.from(JSON.stringify(spec)));
export const renderSvg = (spec: object): Promise<string> =>
  Promise.resolve(`<svg><desc>${JSON.stringify(spec).replace(/[<&]/g, "")}</desc></svg>`);
