/** Two different replicas at random, and of them the one with fewer unanswered requests. */
import type { RouterDefinition } from "../router.js";

export const powerOfTwo: RouterDefinition = {
  name: "power-of-two",
  order: 6,
  summary: "the less busy of two replicas at random",
  source: "Mitzenmacher, IEEE TPDS 2001; Vvedenskaya, Dobrushin & Karpelevich 1996",
  options: [],
  examples: [{ kind: "power-of-two" }],
  create: () => ({
    route(fleet) {
      const { replicas } = fleet;
      const one = Math.floor(fleet.random() * replicas);
      if (replicas === 1) return one;
      const other = (one + 1 + Math.floor(fleet.random() * (replicas - 1))) % replicas;
      const difference = fleet.outstanding(other) - fleet.outstanding(one);
      return difference < 0 ? other : one;
    },
  }),
};
