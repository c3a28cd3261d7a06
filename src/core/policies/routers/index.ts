export { central } from "./central.js";
export { roundRobin } from "./round-robin.js";
export { random } from "./random.js";
export { leastOutstanding } from "./least-outstanding.js";
export { leastTokens } from "./least-tokens.js";
export { powerOfTwo } from "./power-of-two.js";
