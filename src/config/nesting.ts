/**
 * Refuses text that is too long or nested too deeply before a parser that recurses sees it: a stack that is
 * nearly full makes V8 abort the process inside a regular expression, which nothing can catch.
 */
import { ConfigError } from "../core/errors.js";

/** Longest text read, in characters: a hundred long scenarios; the worst text takes about 2 s at this length. */
export const LONGEST_TEXT = 200_000;
/** Deepest nesting read; a study needs five levels. */
export const DEEPEST_NESTING = 64;

/** A level of a block takes a column or two. */
const MOST_COLUMNS = 2 * DEEPEST_NESTING;
/** What opens a level beside brackets and columns; no study has as many keys. */
const INDICATORS = "-?:";
const MOST_INDICATORS = 300;

/**
 * Looks once at every character. Nesting is overestimated: brackets count in strings and comments too, and
 * so does every indicator of a line.
 * @throws ConfigError naming `file` and the line
 */
export function refuseExcess(text: string, file: string): void {
  if (text.length > LONGEST_TEXT)
    refuse(`${file}: too long: ${text.length} characters (at most ${LONGEST_TEXT})`);
  let line = 1;
  let open = 0; // brackets not closed
  let columns = 0; // spaces and indicators that open the line: block levels are no more than these
  let indicators = 0; // those of this line, or of all lines since a bracket that is still open
  let leading = true;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    const indicator = INDICATORS.includes(character);
    if (indicator && (" \t\r\n".includes(text[i + 1] ?? " ") || `"'`.includes(text[i - 1] ?? " ")))
      indicators++;
    leading &&= indicator || character === " " || character === "\t";
    if (leading) columns++;
    if (character === "[" || character === "{") open++;
    else if (character === "]" || character === "}") open = Math.max(0, open - 1);
    else if (character === "\n") {
      line++;
      columns = 0;
      leading = true;
      if (open === 0) indicators = 0;
    }
    if (open > DEEPEST_NESTING || columns > MOST_COLUMNS || indicators > MOST_INDICATORS)
      refuse(`${file}:${line}: nested too deeply (at most ${DEEPEST_NESTING} levels)`);
  }
}

function refuse(message: string): never {
  throw new ConfigError([{ key: "", message }]);
}
