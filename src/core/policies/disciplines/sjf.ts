/**
 * Shortest job first, by a prediction: the time that a request would take alone on this engine, times e^(σZ) with
 * a standard normal Z of its own. σ = 0 predicts exactly; the mean wait is then the least of all disciplines that
 * do not preempt (Phipps, Oper. Res. 4, 1956, for one server).
 */
import { exp } from "../../numbers/arithmetic.js";
import { numberOf } from "../../options/definition.js";
import type { DisciplineDefinition } from "../discipline.js";
import { KeyedOrder } from "../keyed-order.js";

/** Beyond it a prediction has nothing to do with the request, and e^(σZ) could leave the range of numbers. */
const MOST_NOISE = 50;

export const sjf: DisciplineDefinition = {
  name: "sjf",
  order: 2,
  summary: "shortest job first, by the predicted time alone; ties by id",
  source: "Phipps, Oper. Res. 4, 1956",
  options: [
    {
      key: "predictionNoise",
      kind: "number",
      min: 0,
      max: MOST_NOISE,
      default: 0,
      summary: "σ of sjf: a prediction is the time alone, times e^(σZ)",
    },
  ],
  examples: [
    { kind: "sjf", predictionNoise: 0 },
    { kind: "sjf", predictionNoise: 0.5 },
  ],
  readsSizes: () => true,
  create(spec, known) {
    const sigma = numberOf(spec, "predictionNoise");
    return new KeyedOrder(
      sigma === 0 ? (id) => known.timeAlone(id) : (id) => known.timeAlone(id) * exp(sigma * known.normal(id)),
    );
  },
};
