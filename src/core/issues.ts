/**
 * The problems of one source, a file or a flag: the first ten in full, and of the others how many there are. Whoever
 * gives a file with a thousand problems reads ten, and finding words for the rest takes time.
 */
import { ConfigError, type Issue } from "./errors.js";

/** So many problems of a source are told in full. */
export const MOST_ISSUES = 10;

export class Issues {
  /** All of them. */
  count: number;
  private readonly told: Issue[] = [];

  /**
   * @param source what the line that counts the rest calls it
   * @param before how many have been told of it elsewhere
   */
  constructor(
    private readonly source: string,
    before = 0,
  ) {
    this.count = before;
  }

  /** @param issue only made if it is told */
  add(issue: () => Issue): void {
    if (this.count++ < MOST_ISSUES) this.told.push(issue());
  }

  /** What is to be told. */
  list(): Issue[] {
    const rest = this.count - MOST_ISSUES;
    if (rest <= 0) return [...this.told];
    return [...this.told, { key: this.source, message: `${this.source}: … and ${rest} more` }];
  }

  /** @throws ConfigError if there is any */
  refuse(): void {
    if (this.count > 0) throw new ConfigError(this.list());
  }
}
