export { fixed } from "./fixed.js";
export { uniform } from "./uniform.js";
export { mixture } from "./mixture.js";
export { lognormal } from "./lognormal.js";
export { geometric } from "./geometric.js";
