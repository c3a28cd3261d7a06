/** Problems of a file while it is read: how many, and the first ones in full. */
import { ConfigError, type Issue } from "../core/errors.js";

const MOST_SHOWN = 10;
/** Nobody needs to know how many more there are, and a file may be endless. */
const MOST_COUNTED = 10_000;

export class Problems {
  count = 0;
  private readonly shown: Issue[] = [];

  constructor(private readonly file: string) {}

  /** Whether reading on would tell nothing new. */
  get isEnough(): boolean {
    return this.count >= MOST_COUNTED;
  }

  /** @param line its number; 0: the whole file */
  add(line: number, message: string): void {
    this.count++;
    if (this.shown.length >= MOST_SHOWN) return;
    const where = line > 0 ? `${this.file}:${line}` : this.file;
    this.shown.push({ key: this.file, message: `${where}: ${message}` });
  }

  /** @throws ConfigError with the first problems, if there is any */
  refuse(): void {
    if (this.count === 0) return;
    const rest = this.count - this.shown.length;
    const many = this.isEnough ? `at least ${rest}` : String(rest);
    const more = { key: this.file, message: `${this.file}: … and ${many} more` };
    throw new ConfigError(rest > 0 ? [...this.shown, more] : this.shown);
  }
}

/** @throws ConfigError about a file, at once */
export function refuse(file: string, message: string): never {
  throw new ConfigError([{ key: file, message }]);
}
