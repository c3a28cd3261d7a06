/**
 * An SLO as it is written, `ttft=0.5s,itl=200ms,ttft_p99=1s,attainment=95%`: what is asked of each request, and
 * targets that are asked of a whole run (docs/model.md §4).
 */
import { ownName, readQuantity, readTarget, quantityForm, type Condition, type Hint } from "./condition.js";
import { MOST_ISSUES } from "../issues.js";
import { SLO_WORDS, type SloConfig } from "../configuration/slo.js";

export interface WrittenSlo {
  readonly requests: Partial<Record<keyof SloConfig, number>>;
  readonly targets: readonly Condition[];
  /** The parts that are targets, as they were written. */
  readonly targetText: string;
  readonly problems: readonly string[];
}

/** Reads an SLO; every problem is found at once. */
export function readSlo(text: string, hint: Hint): WrittenSlo {
  const requests: Partial<Record<keyof SloConfig, number>> = {};
  const targets: Condition[] = [];
  const texts: string[] = [];
  const problems: string[] = [];
  let more = 0;
  for (const part of text.split(",").map((one) => one.trim())) {
    // Finding words for thousands of them takes time.
    if (problems.length === MOST_ISSUES) {
      more++;
      continue;
    }
    const [word = "", limit = "", ...rest] = part.split("=").map((one) => one.trim());
    if (word === "" || limit === "" || rest.length > 0 || /[<>]/.test(part)) {
      problems.push(
        `not a target: ${part.slice(0, 60) || "nothing"} (write ttft=0.5s, itl=200ms, ttft_p99=1s)`,
      );
      continue;
    }
    const key = SLO_WORDS.get(ownName(word));
    if (key === undefined) {
      const target = readTarget(word, limit, hint, [...SLO_WORDS.keys()]);
      if (typeof target === "string") problems.push(target);
      else {
        targets.push(target);
        texts.push(part);
      }
      continue;
    }
    const value = readQuantity(limit, "s");
    if (value === undefined || value <= 0) problems.push(`invalid ${word}: ${limit} (${quantityForm("s")})`);
    else requests[key] = value;
  }
  if (more > 0) problems.push(`… and ${more} more`);
  return { requests, targets, targetText: texts.join(","), problems };
}
