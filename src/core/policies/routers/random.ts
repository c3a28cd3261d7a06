/** Each request goes to a replica at random: a Poisson stream is split into independent Poisson streams. */
import type { RouterDefinition } from "../router.js";

export const random: RouterDefinition = {
  name: "random",
  order: 3,
  summary: "a replica at random",
  source: "Bernoulli splitting of a Poisson process",
  options: [],
  examples: [{ kind: "random" }],
  create: () => ({ route: (fleet) => Math.floor(fleet.random() * fleet.replicas) }),
};
