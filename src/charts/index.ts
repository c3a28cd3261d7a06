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
export { replayed, type ReplayedOptions, type ReplayedTime } from "./replayed.js";
export { lineBand, type LineBandOptions } from "./line-band.js";
export { tiles, type TilesOptions } from "./tiles.js";
export type { Measure, Panel, Position, SeriesBy } from "./axes.js";
export { withSubtitle, type Heading } from "./figure.js";
export type { Row } from "./rows.js";
export type { Rule } from "./rules.js";
export { FONT_FAMILY } from "./theme.js";
