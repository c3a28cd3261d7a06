/** The runs of benchmarks that write a list for each measure: the i-th values are those of the i-th request. */
import type { JsonObject, RecordedRun } from "./trace-format.js";

/** Why a request has failed; empty: it has not. */
const ERRORS = "errors";

/**
 * The run whose requests stand in these lists of a document; a list that is not there has no cells.
 * @throws RangeError when there is none, or they do not have the same length
 */
export function listedRun(value: JsonObject, columns: readonly string[]): RecordedRun {
  const names = [...columns, ERRORS].filter((name) => value[name] !== undefined && value[name] !== null);
  const lists = names.map((name) => {
    const list = value[name];
    if (!Array.isArray(list)) throw new RangeError(`invalid ${name}: not a list`);
    return list as readonly unknown[];
  });
  if (lists.length === 0) throw new RangeError(`holds no requests (lists named ${columns.join(", ")})`);
  const { length } = lists[0];
  const other = lists.findIndex((list) => list.length !== length);
  if (other >= 0)
    throw new RangeError(
      `${names[0]} lists ${length} requests, ${names[other]} ${lists[other].length} (each has a value in each list)`,
    );
  const errors = lists[names.indexOf(ERRORS)] as readonly unknown[] | undefined;
  const hasFailed = (i: number): boolean => errors !== undefined && errors[i] !== "" && errors[i] !== null;
  const rowAt = (i: number): JsonObject => Object.fromEntries(names.map((name, k) => [name, lists[k][i]]));
  return {
    rows: Array.from({ length }, (_, i) => (hasFailed(i) ? null : rowAt(i))),
    place: (i) => `request ${i + 1}`,
  };
}
