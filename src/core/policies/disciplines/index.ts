export { fcfs } from "./fcfs.js";
export { sjf } from "./sjf.js";
export { priority } from "./priority.js";
