/** The replica with the fewest unanswered requests: join the shortest queue. */
import { leastBy, type RouterDefinition } from "../router.js";

export const leastOutstanding: RouterDefinition = {
  name: "least-outstanding",
  order: 4,
  summary: "the replica with the fewest unanswered requests",
  source: "join the shortest queue; Winston, J. Appl. Probab. 1977",
  options: [],
  examples: [{ kind: "least-outstanding" }],
  create: () => ({ route: (fleet) => leastBy(fleet, (i) => fleet.outstanding(i)) }),
};
