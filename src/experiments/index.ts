export { demo } from "./demo.js";
export { run } from "./run.js";
export { validate } from "./validate.js";
export { sweepTimeExperiment } from "./sweep-time.js";
export { stability } from "./stability.js";
