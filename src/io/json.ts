/**
 * JSON in pieces: what JSON.stringify writes, for documents that may be longer than a text can be. A column of numbers
 * may be a Float64Array, which takes a third of a list's memory.
 */

/** About how many characters a piece has. */
const PIECE = 2 ** 16;

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** What JSON leaves out of an object, and has as null in a list. */
const isNothing = (value: unknown): boolean =>
  value === undefined || typeof value === "function" || typeof value === "symbol";

function leaf(value: unknown): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "null";
  return isNothing(value) ? "null" : JSON.stringify(value);
}

/**
 * The pieces of `JSON.stringify(value, null, indent)`; with none of them is it ever one text.
 * @param value plain data: objects, lists, Float64Arrays, texts, numbers, booleans and null
 * @param indent above 0
 */
export function* jsonPieces(
  value: unknown,
  indent: number,
  size = PIECE,
): Generator<string, void, undefined> {
  let text = "";
  function* write(of: unknown, margin: string): Generator<string, void, undefined> {
    if (!isObject(of)) {
      text += leaf(of);
      return;
    }
    const isList = Array.isArray(of) || of instanceof Float64Array;
    const keys = isList ? undefined : Object.keys(of).filter((key) => !isNothing(of[key as keyof typeof of]));
    const length = keys?.length ?? (of as ArrayLike<unknown>).length;
    const [open, close] = isList ? "[]" : "{}";
    if (length === 0) {
      text += open + close;
      return;
    }
    const inner = margin + " ".repeat(indent);
    text += open;
    for (let i = 0; i < length; i++) {
      const below: unknown = keys ? of[keys[i] as keyof typeof of] : (of as ArrayLike<unknown>)[i];
      text += i === 0 ? inner : `,${inner}`;
      if (keys) text += `${JSON.stringify(keys[i])}: `;
      if (isObject(below)) yield* write(below, inner);
      else text += leaf(below);
      if (text.length < size) continue;
      yield text;
      text = "";
    }
    text += margin + close;
  }
  yield* write(value, "\n");
  if (text !== "") yield text;
}
