export { poisson } from "./poisson.js";
export { deterministic } from "./deterministic.js";
