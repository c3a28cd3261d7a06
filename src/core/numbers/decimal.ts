/**
 * Numbers in texts, read by a scan: `12`, `12.5`, `.5`, `12.` and each with an exponent. A pattern like
 * `\d+\.?\d*` has two ways to take every digit, and tries them all before it says that a long text is no number.
 */

const ZERO = 48;
const isDigit = (code: number): boolean => code >= ZERO && code <= ZERO + 9;
/** A sign or none: where what follows it begins. */
const afterSign = (text: string, at: number): number => (text[at] === "+" || text[at] === "-" ? at + 1 : at);

function afterDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

/** How many characters at the beginning of a text are a decimal number; 0 when it does not begin with one. */
export function decimalLength(text: string): number {
  const first = afterSign(text, 0);
  const dot = afterDigits(text, first);
  const end = text[dot] === "." ? afterDigits(text, dot + 1) : dot;
  if (end - first === (end > dot ? 1 : 0)) return 0; // no digit at all
  if (text[end] !== "e" && text[end] !== "E") return end;
  const exponent = afterSign(text, end + 1);
  const last = afterDigits(text, exponent);
  return last > exponent ? last : end;
}

/** Whether a text is a decimal number and nothing else. */
export const isDecimal = (text: string): boolean => text !== "" && decimalLength(text) === text.length;
