/** One central queue: a replica takes prompts from it when it composes (model §1). */
import type { RouterDefinition } from "../router.js";

export const central: RouterDefinition = {
  name: "central",
  order: 1,
  summary: "one queue for all replicas",
  source: "model §1; M/M/k",
  central: true,
  options: [],
  examples: [{ kind: "central" }],
  create: () => ({ route: () => 0 }),
};
