/**
 * How much the JavaScript engine may compile into one function.
 *
 * For each batch the core's loop calls some thirty small functions. By default V8 puts 920 bytes of bytecode into the
 * function that calls them and leaves the others as calls, after each of which every field is read anew: that cost a
 * sixth of a simulation. The figures are where more brings nothing more (`npm run bench -- speed`).
 */
import { setFlagsFromString } from "node:v8";

const FLAGS = [
  "--max-inlined-bytecode-size=1500",
  "--max-inlined-bytecode-size-cumulative=6000",
  "--max-inlined-bytecode-size-absolute=12000",
];

/** Lets the loop be compiled as one, in every thread of this process; results do not change. To be said before it runs. */
export function inlineMore(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
