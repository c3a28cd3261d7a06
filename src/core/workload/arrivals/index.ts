export { closed } from "./closed.js";
export { poisson } from "./poisson.js";
export { deterministic } from "./deterministic.js";
export { gamma } from "./gamma.js";
export { weibull } from "./weibull.js";
export { onOff } from "./on-off.js";
export { trace } from "./trace.js";
