/**
 * What comes from files and command lines, as a message shows it: a line stays a line, of a length that can be read,
 * and what moves a terminal's cursor is shown and not done.
 */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** @param longest characters; what is longer loses its middle */
export function inALine(text: string, longest: number): string {
  const short =
    text.length > longest
      ? `${text.slice(0, Math.ceil(longest / 2))}...${text.slice(3 - Math.floor(longest / 2))}`
      : text;
  return short.replace(CONTROLS, (one) =>
    one === "\n" ? "\\n" : `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
