export { affine } from "./affine.js";
export { exponential } from "./exponential.js";
