/** First come, first served. */
import type { DisciplineDefinition } from "../discipline.js";
import { IdDeque } from "../../queues/id-deque.js";

export const fcfs: DisciplineDefinition = {
  name: "fcfs",
  order: 1,
  summary: "first come, first served; ties by id",
  source: "model §2",
  byArrival: true,
  options: [],
  examples: [{ kind: "fcfs" }],
  create: () => new IdDeque(),
};
