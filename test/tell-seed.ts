/** Once a run, before its first test: what the seed is, without which a failure could not be drawn again. */
import type { TestProject } from "vitest/node";
import { SEED } from "./seed.js";

/** Vitest asks for it once a project, and once for all of them. */
export function setup(project: TestProject): void {
  if (project.isRootProject()) console.log(`test seed ${SEED} (LLMSIM_TEST_SEED=… draws other cases)`);
}
