/** Arrivals of a recorded trace; here of the example alone, until `withTraces` brings others (trace-arrivals.ts). */
import { EXAMPLE } from "../trace.js";
import { traceArrivals } from "../trace-arrivals.js";

export const trace = traceArrivals([EXAMPLE]);
