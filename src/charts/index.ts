/** The charts: rows of a result table in, self-contained Vega-Lite specs out. */
export { agreement, type Agreement, type AgreementOptions } from "./agreement.js";
export { bars, type BarsOptions } from "./bars.js";
export {
  dashboard,
  STANDARD_PANELS,
  timeSeriesDashboard,
  type DashboardOptions,
  type DashboardPanel,
} from "./dashboard.js";
export { heatMap, type HeatMapOptions } from "./heat-map.js";
export { replayed, type ReplayedOptions, type ReplayedTime } from "./replayed.js";
export { lineBand, type LineBandOptions } from "./line-band.js";
export { tiles, type TilesOptions } from "./tiles.js";
export type { Measure, Panel, Position, SeriesBy } from "./axes.js";
export { withSubtitle, type Heading } from "./figure.js";
export type { Row } from "./rows.js";
export type { Rule } from "./rules.js";
export { FONT_FAMILY, stylesOf } from "./theme.js";
export { commonEnd, iterationAt, type Lane } from "./timeline/lane.js";
export { firstStall, type Stall } from "./timeline/stall.js";
export { iterationWords, requestWords, time } from "./timeline/words.js";
export { draw, heightOf, hit, type Drawn, type View } from "./timeline/draw.js";
export { DARK, LIGHT, type Pen, type TimelineTheme } from "./timeline/pen.js";
