/**
 * Values that a user's module hands over. A field may be a getter and an object a Proxy, so that reading one runs code
 * that throws, or that answers otherwise the second time: fields are read once, and what is kept is plain data.
 */

/** More elements than any list of a definition has; a Proxy may pretend to have 2³². */
const MOST_ELEMENTS = 10_000;
const DEEPEST = 4;

export type Fields<K extends string> = Readonly<Record<K, unknown>>;

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** A value in a message. Nothing of it is run. */
export function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : shown(error);
  } catch {
    return "an error that cannot be read";
  }
}

/** The fields of those names, each read once. Throws what a getter throws. */
export function fieldsOf<K extends string>(value: object, names: readonly K[]): Fields<K> {
  const given = value as Fields<K>;
  return Object.fromEntries(names.map((name) => [name, given[name]])) as Fields<K>;
}

/** A copy of plain data that nobody can change; what is none (functions, too deep, too long) is a symbol. */
export function plainCopy(value: unknown, depth = 0): unknown {
  if (value === null || value === undefined) return value;
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value !== "object" || depth === DEEPEST) return NOT_PLAIN;
  if (!Array.isArray(value)) {
    const names = Object.keys(value);
    if (names.length > MOST_ELEMENTS) return NOT_PLAIN;
    const fields = fieldsOf(value, names);
    return Object.freeze(Object.fromEntries(names.map((name) => [name, plainCopy(fields[name], depth + 1)])));
  }
  const { length } = value;
  if (length > MOST_ELEMENTS) return NOT_PLAIN;
  return Object.freeze(Array.from({ length }, (_, i) => plainCopy(value[i], depth + 1)));
}

const NOT_PLAIN = Symbol("not plain");
