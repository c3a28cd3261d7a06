export { azure } from "./azure.js";
export { bailian } from "./bailian.js";
export { burstgpt } from "./burstgpt.js";
export { llmservingsim } from "./llmservingsim.js";
export { llmsim } from "./llmsim.js";
export { llmsimRequests } from "./llmsim-requests.js";
export { mooncake } from "./mooncake.js";
export { vidur } from "./vidur.js";
