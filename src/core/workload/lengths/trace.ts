/** Lengths of a recorded trace; here of the example alone, until `withTraces` brings others (trace-lengths.ts). */
import { EXAMPLE } from "../trace.js";
import { traceLengths } from "../trace-lengths.js";

export const trace = traceLengths([EXAMPLE]);
