export { decodePrioritizing } from "./decode-prioritizing.js";
export { prefillPrioritizing } from "./prefill-prioritizing.js";
export { hybrid } from "./hybrid.js";
export { vllm } from "./vllm.js";
export { sarathi } from "./sarathi.js";
export { orca } from "./orca.js";
