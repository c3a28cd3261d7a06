/**
 * Strict priorities without preemption (Cobham, Oper. Res. 2, 1954): the lowest class first, FCFS inside a class.
 * A request's class is drawn with given shares, or stands in the recorded trace.
 */
import type { DisciplineDefinition } from "../discipline.js";
import { ConfigError } from "../../errors.js";
import { KeyedOrder } from "../keyed-order.js";

const ROUNDING = 1e-9;

export const priority: DisciplineDefinition = {
  name: "priority",
  order: 3,
  summary: "strict classes, the lowest first, FCFS inside; none is preempted",
  source: "Cobham, Oper. Res. 2, 1954",
  options: [
    {
      key: "classes",
      kind: "numbers",
      min: 0,
      above: true,
      max: 1,
      nullable: true,
      default: null,
      summary: "shares of the classes 0, 1, … of priority; none: classes are a trace's",
    },
  ],
  examples: [
    { kind: "priority", classes: [0.5, 0.5] },
    { kind: "priority", classes: [0.1, 0.2, 0.7] },
  ],
  check({ classes }) {
    if (classes === null) return [];
    const sum = (classes as readonly number[]).reduce((total, share) => total + share, 0);
    return Math.abs(sum - 1) <= ROUNDING ? [] : [`classes: they sum to ${sum} (shares sum to 1)`];
  },
  // A trace's priorities may go with the lengths.
  readsSizes: ({ classes }) => classes === null,
  create({ classes }, known) {
    const shares = classes as readonly number[] | null;
    const classOf = shares === null ? recorded : drawn(shares);
    return new KeyedOrder(classOf, classOf);

    function recorded(id: number): number {
      const found = known.recordedClass(id);
      if (found !== undefined) return found;
      const message =
        "missing engine.discipline.classes (shares of the classes, e.g. 0.5,0.5; or a trace with priorities)";
      throw new ConfigError([{ key: "engine.discipline.classes", message }]);
    }

    function drawn(given: readonly number[]): (id: number) => number {
      return (id) => {
        const u = known.uniform(id);
        let index = 0;
        for (let above = given[0]; u >= above && index < given.length - 1; above += given[++index]);
        return index;
      };
    }
  },
};
