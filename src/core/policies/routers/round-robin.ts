/** Requests go to the replicas in turn: of k replicas each sees every k-th arrival (E_k gaps from a Poisson stream). */
import type { RouterDefinition } from "../router.js";

export const roundRobin: RouterDefinition = {
  name: "round-robin",
  order: 2,
  summary: "the replicas in turn",
  source: "cyclic assignment; E_k/M/1 for Poisson arrivals and exponential service",
  options: [],
  examples: [{ kind: "round-robin" }],
  create: () => ({ route: ({ arrived, replicas }) => arrived % replicas }),
};
