/** stub */
import type { Experiment } from "./experiment.js";
export const report = {} as Experiment;
