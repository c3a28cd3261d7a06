export { affine } from "./affine.js";
export { exponential } from "./exponential.js";
export { gpu } from "./gpu.js";
export { gpuTable } from "./gpu-table.js";
