/**
 * JSON values one after the other, or the elements of an array, cut out of text that comes in pieces: a long array is
 * never one string. What is cut out is parsed by JSON.parse; here only brackets and strings are told apart.
 */

/** A value's text, or what is wrong where one should stand. */
export interface JsonPiece {
  readonly text: string;
  /** Number of the line that it begins in. */
  readonly number: number;
  readonly problem?: string;
  /** Nothing behind it can be read. */
  readonly isLast?: boolean;
}

const OUTSIDE = /["{}[\]\n]/g;
const INSIDE = /["\\]/g;
/** What may stand between values: commas in an array. */
const BETWEEN = { array: /[^\s,]/, values: /\S/ };

export class JsonValues {
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  /** What was read of the value that has not ended. */
  private begun = "";
  private start = 0;
  private isClosed = false;

  /**
   * @param isArray the text is an array, whose elements are the values
   * @param line number of the text's first line
   * @param longest most characters of a value
   */
  constructor(
    private readonly isArray: boolean,
    private line: number,
    private readonly longest: number,
  ) {}

  /** The values that end in this piece of text, and what is wrong in it. */
  *feed(text: string): Generator<JsonPiece> {
    const base = this.isArray ? 1 : 0;
    /** Where the value, or what stands between two of them, begins in this piece. */
    let from = 0;
    for (let at = 0; at < text.length;) {
      if (this.isInString) {
        at = this.throughString(text, at);
        continue;
      }
      OUTSIDE.lastIndex = at;
      const found = OUTSIDE.exec(text);
      if (!found) break;
      at = found.index + 1;
      const [mark] = found;
      if (mark === "\n") this.line++;
      else if (mark === '"') this.isInString = true;
      if (mark === "\n" || (mark === '"' && this.depth > base)) continue;
      const isOpening = mark === "{" || mark === "[";
      if (mark !== '"') this.depth += isOpening ? 1 : -1;
      if (isOpening && this.depth === base + 1) {
        yield* this.between(text.slice(from, found.index));
        from = found.index;
        this.start = this.line;
      } else if (isOpening && this.depth === base) {
        from = at; // the array itself
      } else if (!isOpening && this.depth === base) {
        if (mark === '"') yield* this.between(text.slice(from, at));
        else yield { text: this.begun + text.slice(from, at), number: this.start };
        this.begun = "";
        from = at;
      } else if (this.depth < base) {
        yield* this.between(text.slice(from, found.index));
        if (this.isClosed || this.depth < 0) yield this.none();
        this.depth = 0;
        this.isClosed = true;
        from = at;
      }
    }
    if (this.depth > base) {
      this.begun += text.slice(from);
      if (this.begun.length > this.longest) {
        const problem = `a value longer than ${this.longest} characters`;
        yield { text: "", number: this.start, problem, isLast: true };
      }
    } else yield* this.between(text.slice(from));
  }

  /** What is missing at the end of the file. */
  *end(): Generator<JsonPiece> {
    const isCut = this.depth > 0 || this.isInString;
    const number = this.depth > (this.isArray ? 1 : 0) ? this.start : this.line;
    if (isCut) yield { text: "", number, problem: "JSON that does not end: the file is cut off" };
  }

  /** Steps through a string; returns where it ends, or the text does. */
  private throughString(text: string, at: number): number {
    if (this.isEscaped) {
      this.isEscaped = false;
      return at + 1;
    }
    INSIDE.lastIndex = at;
    const found = INSIDE.exec(text);
    if (!found) return text.length;
    if (found[0] === "\\") this.isEscaped = true;
    else this.isInString = false;
    return found.index + 1;
  }

  private *between(text: string): Generator<JsonPiece> {
    const isList = this.isArray && !this.isClosed;
    const at = text.search(BETWEEN[isList ? "array" : "values"]);
    if (at >= 0) yield this.none(text.slice(at).split("\n").length - 1);
  }

  /** @param ago how many lines before the present one */
  private none(ago = 0): JsonPiece {
    return { text: "", number: this.line - ago, problem: "not a JSON object" };
  }
}
