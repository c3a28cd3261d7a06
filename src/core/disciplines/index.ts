export { fcfs } from "./fcfs.js";
