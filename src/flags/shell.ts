/** A command line of this program, its flags, and what of them decides results. */
import { shellWord } from "../core/foreign-words.js";

/** What stands for the address of Redis, which may hold a password. */
const REDIS = ' --redis "$LLMSIM_REDIS"';

/** A command line of this program, to be pasted; the address of Redis is read from the variable instead. */
export function commandLine(argv: readonly string[]): string {
  let line = "llmsim";
  for (let i = 0; i < argv.length; i++)
    if (argv[i] === "--redis") {
      line += REDIS;
      i++;
    } else line += argv[i].startsWith("--redis=") ? REDIS : ` ${shellWord(argv[i])}`;
  return line;
}

/** Flags that change no byte of the results: with a value, and without. */
const ABOUT_THE_PROCESS = [
  ["--workers", "--executor", "--redis", "--shard"],
  ["--json", "--quiet", "--resume", "--no-color", "--overwrite", "--open", "--serve"],
] as const;

/** A command line without what says how this process goes about it: the same results are called the same. */
export function resultLine(argv: readonly string[]): string {
  const [valued, plain] = ABOUT_THE_PROCESS.map(
    (flags) => (word: string) => flags.some((flag) => flag === word),
  );
  const kept: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    if (valued(argv[i])) i++;
    else if (!plain(argv[i]) && !valued(argv[i].split("=", 1)[0])) kept.push(argv[i]);
  }
  return commandLine(kept);
}

/** The same work without a queue or threads. */
export const inOneProcess = (line: string): string =>
  `${line.replaceAll(REDIS, "").replace(/ --executor[ =]\S+/g, "")} --workers 0`;

/** A text that quotes what was typed, without the passwords in it. */
export const withoutPasswords = (text: string): string => text.replace(/(rediss?:\/\/)\S*/gi, "$1...");
