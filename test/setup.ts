/** Before each test file: its properties draw from the seed of the suite. */
import fc from "fast-check";
import { SEED } from "./seed.js";

fc.configureGlobal({ seed: SEED });
