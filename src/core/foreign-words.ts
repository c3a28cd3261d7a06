/**
 * Words that are not ours (of files, command lines, queues, plugins), as they are shown: a line stays a line, what moves
 * a terminal's cursor is shown and not done, and what is to be pasted into a shell is one word there.
 */
const CONTROL = String.raw`\u0000-\u001f\u007f-\u009f\u2028\u2029`;
const CONTROLS = new RegExp(`[${CONTROL}]`, "g");
/** The emphasis of our own style, whole; else a control character that does not end a line. */
const STYLE_OR_CONTROL = new RegExp(String.raw`\u001b\[(?:1|2|22)m|(?!\n)[${CONTROL}]`, "g");

const escaped = (one: string): string =>
  one === "\n" ? "\\n" : `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * A text as one line.
 * @param longest characters; what is longer loses its middle
 */
export function inALine(text: string, longest = Infinity): string {
  const short =
    text.length > longest
      ? `${text.slice(0, Math.ceil(longest / 2))}...${text.slice(3 - Math.floor(longest / 2))}`
      : text;
  return short.replace(CONTROLS, escaped);
}

/** A text of several lines that a terminal gets: nothing of it but our emphasis and the ends of lines does anything. */
export const harmless = (text: string): string =>
  text.replace(STYLE_OR_CONTROL, (one) => (one.length > 1 ? one : escaped(one)));

const quoted = (text: string): string =>
  /[^\P{Cc}]/u.test(text)
    ? `$'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replace(CONTROLS, escaped)}'`
    : `'${text.replaceAll("'", `'\\''`)}'`;

/** An argument as a shell takes it: commands that are printed can be pasted. */
export const shellWord = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : quoted(argument);
