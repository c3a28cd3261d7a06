/**
 * A closed loop: so many clients, each with one request at a time and a think time between an answer and its next
 * request. Load follows the engine, so nothing grows without bound; with exponential service and one sequence at a
 * time it is the machine-repairman model (Palm 1947; Gross & Harris §2.7). What the clients do is closed-loop.ts.
 */
import type { ArrivalDefinition } from "../arrival-process.js";
import { numberOf, textOf } from "../../options/definition.js";
import { fromSeconds, NEVER } from "../../numbers/units.js";

export const closed: ArrivalDefinition = {
  name: "closed",
  summary: "a closed loop: each client thinks, sends one request and waits for its answer",
  source: "machine-repairman model (Palm 1947); interactive systems (Denning & Buzen 1978)",
  loadOption: { key: "clients", sense: "more" },
  closed: true,
  options: [
    {
      key: "clients",
      kind: "integer",
      min: 1,
      max: 100_000,
      summary: "clients, each with one request at a time",
    },
    {
      key: "thinkSeconds",
      kind: "number",
      min: 0,
      max: 1e6,
      unit: "s",
      summary: "mean think time between an answer and the client's next request",
    },
    {
      key: "think",
      kind: "choice",
      choices: ["exponential", "deterministic"],
      default: "exponential",
      summary: "law of the think times",
    },
  ],
  examples: [
    { kind: "closed", clients: 10, thinkSeconds: 0.1 },
    { kind: "closed", clients: 3, thinkSeconds: 1, think: "deterministic" },
  ],
  create(spec) {
    const thinkSeconds = numberOf(spec, "thinkSeconds");
    const always = fromSeconds(thinkSeconds);
    return {
      ratePerSecond: NaN,
      clients: {
        count: numberOf(spec, "clients"),
        thinkSeconds,
        think:
          textOf(spec, "think") === "exponential"
            ? (stream) => fromSeconds(thinkSeconds * stream.exponential())
            : () => always,
      },
      open: () => ({ next: () => NEVER }),
    };
  },
};
