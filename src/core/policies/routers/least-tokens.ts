/** The replica with the least work left, in prompt and output tokens: what a router that foresees lengths could do. */
import { leastBy, type RouterDefinition } from "../router.js";

export const leastTokens: RouterDefinition = {
  name: "least-tokens",
  order: 5,
  summary: "the replica with the fewest tokens left to compute, output lengths foreseen",
  source: "least work left; Harchol-Balter, Performance Modeling and Design of Computer Systems, ch. 24",
  options: [],
  examples: [{ kind: "least-tokens" }],
  create: () => ({ route: (fleet) => leastBy(fleet, (i) => fleet.outstandingTokens(i)) }),
};
