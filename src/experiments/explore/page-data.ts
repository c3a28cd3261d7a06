/**
 * What `explore` fills into the page: the settings to start from and a stored result, as JSON. The page itself is
 * built with the package and knows nothing of the study.
 */
import type { TrialRecords } from "../interface/trials.js";

/** Something that settings start from: a scenario, or a study as it was given on the command line. */
export interface Base {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  /** The flags that choose it on the command line. */
  readonly command: string;
  /** The settings, as a layer of a study. */
  readonly values: object;
}

export interface PageData {
  readonly version: string;
  /** What every study starts from, under its base. */
  readonly defaults: object;
  readonly bases: readonly Base[];
  /** The base and the settings (flags without dashes) that the page opens with. */
  readonly base: string;
  readonly settings: Readonly<Record<string, string>>;
  /** The metrics of those settings, in the order of TrialRecords' values; null for NaN. */
  readonly stored: { readonly trials: number; readonly values: readonly (number | null)[] };
}

/** The metrics of records as the page stores them. */
export const storedOf = ({ trials, values }: TrialRecords): PageData["stored"] => ({
  trials,
  values: Array.from(values, (value) => (Number.isFinite(value) ? value : null)),
});

/** Where the page's template takes the data. */
export const PLACE = "{{DATA}}";

/**
 * Fills the data into the page. Nothing in it can end the script element that holds it, open another or start a
 * comment: `<` is written as an escape, which JSON allows anywhere in its texts and never needs outside them.
 */
export function filled(template: string, data: PageData): string {
  const json = JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${hex4(c.charCodeAt(0))}`);
  // A function, so that `$&` in a name is not a pattern.
  return template.replace(PLACE, () => json);
}

const hex4 = (code: number): string => code.toString(16).padStart(4, "0");
