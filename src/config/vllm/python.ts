/**
 * Values as Python prints them (`repr`), which is how vLLM's log tells its settings. Read in one pass, a character at a
 * time; nothing is evaluated. What has no literal of its own (`torch.bfloat16`, `PosixPath('x')`, `<Mode.FULL: 2>`) is
 * kept as its text.
 */

/** Text that is no literal. */
export interface Opaque {
  readonly opaque: string;
}
/** None is null; lists, tuples and sets are arrays; a dict is its pairs. */
export type PythonValue =
  null | boolean | number | string | readonly PythonValue[] | ReadonlyMap<PythonValue, PythonValue> | Opaque;

/** No list in a list in a list … is deeper. */
const DEEPEST = 100;
const WORDS: ReadonlyMap<string, PythonValue> = new Map<string, PythonValue>([
  ["None", null],
  ["True", true],
  ["False", false],
  ["inf", Infinity],
  ["-inf", -Infinity],
  ["nan", NaN],
]);
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
/** Hexadecimal digits after `\x`, `\u` and `\U`. */
const DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const CLOSES: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "<": ">" };
const NUMBER = /^-?\d+(?:\.\d*)?(?:e[+-]?\d+)?$/;

const isQuote = (character: string): boolean => character === "'" || character === '"';
const isSpace = (character: string): boolean => character === " " || character === "\t";
const isWordPart = (character: string): boolean => /^[\p{L}\p{N}_]$/u.test(character);

/** Where reading had to end: the text is cut off, or is no such value. */
class Unreadable extends Error {}

class Reader {
  constructor(
    private readonly text: string,
    public at: number,
  ) {}

  value(depth = 0): PythonValue {
    if (depth > DEEPEST) throw new Unreadable();
    const first = this.text[this.at] ?? "";
    if (isQuote(first)) return this.string();
    if (first === "[" || first === "(") return this.list(CLOSES[first], depth);
    if (first === "{") return this.dict(depth);
    return this.word();
  }

  skipSpaces(): void {
    while (isSpace(this.text[this.at] ?? "")) this.at++;
  }

  /** Goes past `character` if it comes next. */
  private takes(character: string): boolean {
    this.skipSpaces();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private string(): string {
    const quote = this.text[this.at++];
    let value = "";
    for (;;) {
      const character = this.text[this.at++];
      if (character === undefined) throw new Unreadable();
      if (character === quote) return value;
      value += character === "\\" ? this.escaped() : character;
    }
  }

  private escaped(): string {
    const letter = this.text[this.at++] ?? "";
    const digits = DIGITS[letter];
    if (digits === undefined) return ESCAPES[letter] ?? letter;
    const code = this.text.slice(this.at, this.at + digits);
    if (!/^[\da-f]+$/i.test(code) || code.length < digits || parseInt(code, 16) > 0x10ffff)
      throw new Unreadable();
    this.at += digits;
    return String.fromCodePoint(parseInt(code, 16));
  }

  private list(end: string, depth: number): PythonValue[] {
    this.at++;
    const values: PythonValue[] = [];
    while (!this.takes(end)) {
      if (values.length > 0 && !this.takes(",")) throw new Unreadable();
      if (this.takes(end)) break; // (1,)
      values.push(this.value(depth + 1));
    }
    return values;
  }

  /** A dict, or a set, which has no colons. */
  private dict(depth: number): PythonValue {
    this.at++;
    const pairs = new Map<PythonValue, PythonValue>();
    if (this.takes("}")) return pairs;
    this.skipSpaces();
    const values: PythonValue[] = [];
    do {
      this.skipSpaces();
      const key = this.value(depth + 1);
      if (this.takes(":")) {
        this.skipSpaces();
        pairs.set(key, this.value(depth + 1));
      } else values.push(key);
    } while (this.takes(","));
    if (!this.takes("}") || (pairs.size > 0 && values.length > 0)) throw new Unreadable();
    return values.length > 0 ? values : pairs;
  }

  /** A number, a name, or an object's text: up to a comma, colon or bracket that is not inside of it. */
  private word(): PythonValue {
    const start = this.at;
    this.skipObject(",:)]}");
    const word = this.text.slice(start, this.at).trim();
    if (word === "") throw new Unreadable();
    const known = WORDS.get(word);
    if (known !== undefined) return known;
    return NUMBER.test(word) ? Number(word) : { opaque: word };
  }

  /** An apostrophe inside of a word opens no string; after the letter b alone it opens bytes. */
  private opensString(): boolean {
    const [before, last] = [this.text[this.at - 2] ?? "", this.text[this.at - 1] ?? ""];
    return !isWordPart(last) || (last === "b" && !isWordPart(before));
  }

  /** Goes on to one of `ends` outside of brackets and quotes, or to the end of the text. */
  skipObject(ends: string): void {
    const open: string[] = [];
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at];
      const last = open.at(-1);
      if (last === undefined && ends.includes(character)) return;
      if (isQuote(character) && this.opensString()) {
        this.string();
        this.at--;
      } else if (character === last) open.pop();
      else if (character in CLOSES) open.push(CLOSES[character]);
    }
    if (open.length > 0) throw new Unreadable();
  }
}

/** The value that stands at `start` of the text; undefined when there is none that can be read. */
export function readPython(text: string, start = 0): PythonValue | undefined {
  try {
    return new Reader(text, start).value();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** So many parts of a line may be unreadable before the rest is given up. */
const MOST_UNREADABLE = 5;

/** `name=value, name=value, …` from `start` on, as a configuration prints itself; what cannot be read is left out. */
export function readAssignments(text: string, start: number): Map<string, PythonValue> {
  const found = new Map<string, PythonValue>();
  const reader = new Reader(text, start);
  for (let unreadable = 0; reader.at < text.length && unreadable < MOST_UNREADABLE;) {
    reader.skipSpaces();
    const from = reader.at;
    try {
      reader.skipObject(",");
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      unreadable++;
      const comma = text.indexOf(",", from);
      reader.at = comma < 0 ? text.length : comma;
    }
    const part = text.slice(from, reader.at++);
    const equals = part.indexOf("=");
    const value = equals < 0 ? undefined : readPython(part, equals + 1);
    if (value !== undefined) found.set(part.slice(0, equals).trim(), value);
  }
  return found;
}
