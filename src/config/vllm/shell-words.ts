/** A command line as the words that a POSIX shell makes of it; variables and patterns stay as they are. */

/** What a backslash takes the meaning from inside double quotes. */
const IN_QUOTES = '"\\$`\n';

/** `$'...'`, in which a backslash has the meaning that it has in C. */
const ANSI_C = /^\$'((?:[^'\\]|\\[^])*)'/;
const ESCAPE = /\\(?:u([0-9a-fA-F]{1,4})|([^]))/g;
const NAMED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
const unescaped = (code: string | undefined, one: string): string =>
  code === undefined ? (NAMED[one] ?? one) : String.fromCharCode(Number.parseInt(code, 16));

/** The words; undefined when a quote is not closed. */
export function shellWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at];
    const next = line[at + 1];
    if (
      character === "\\" &&
      quote !== "'" &&
      next !== undefined &&
      (quote === "" || IN_QUOTES.includes(next))
    ) {
      at++;
      if (next !== "\n") word = (word ?? "") + next; // else the line goes on
    } else if (character === quote) quote = "";
    else if (quote === "" && character === "$" && next === "'") {
      const [ansi, inside] = ANSI_C.exec(line.slice(at)) ?? [];
      if (ansi === undefined) return undefined;
      word = (word ?? "") + inside.replace(ESCAPE, (_, code: string, one: string) => unescaped(code, one));
      at += ansi.length - 1;
    } else if (quote === "" && (character === "'" || character === '"')) {
      quote = character;
      word ??= "";
    } else if (quote === "" && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}
