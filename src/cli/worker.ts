/** `llmsim worker`: works for runs that hand their shards to a queue, on this machine, until it is told to stop. */
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { ConfigError, type Issue } from "../core/errors.js";
import { numberOrText } from "../config/lists.js";
import { serve } from "../run/bullmq/worker.js";
import { EXIT, EXIT_HELP } from "./faults.js";
import { tellingOn } from "./process/careful.js";
import { threadCount } from "./process/open-files.js";
import type { Flags } from "../flags/given-flags.js";
import { redisFrom } from "./settings/redis.js";
import { isPlain } from "./settings/settings.js";
import type { Streams } from "./streams.js";
import { version } from "./version.js";

const MOST_WORKERS = 256;

/** Gives the command its flags and help. */
export function describeWorker(command: Command): void {
  command
    .description(
      "Works for runs with --executor bullmq: takes their shards from a queue in Redis, runs them on threads " +
        "and hands back the values. Start as many as you like, on any machine, at any time.",
    )
    .option("--redis <url>", "the queue (or LLMSIM_REDIS)")
    .option("--workers <n>", "threads (default: the machine's cores)")
    .option("--quiet", "say nothing but what it waits for, where no shard comes")
    .addHelpText("after", () =>
      [
        "",
        "Examples:",
        "  llmsim worker --redis redis://127.0.0.1:6379",
        "  llmsim sweep-chunk --executor bullmq --redis redis://127.0.0.1:6379",
        "",
        "It ends, with 0, on SIGTERM or Ctrl-C, when the shards that it has begun are done; asked again, at once.",
        "",
        EXIT_HELP,
      ].join("\n"),
    );
}

/** Works until the user, or the machine, asks to stop. Errors are thrown. */
export async function work(flags: Flags, { env, signal, stderr }: Streams): Promise<number> {
  const issues: Issue[] = [];
  const redis = redisFrom(flags, env, issues);
  const given = flags.workers as string | undefined;
  const threads = given === undefined ? availableParallelism() : numberOrText(given);
  const isFit = Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= MOST_WORKERS;
  if (!isFit) {
    const message = `invalid --workers: ${given} (an integer at least 1 and at most ${MOST_WORKERS})`;
    issues.push({ key: "--workers", message });
  }
  const plain = isPlain(env, issues);
  if (issues.length > 0 || !redis) throw new ConfigError(issues);
  const insist = tellingOn(stderr);
  const tell = flags.quiet === true ? () => {} : insist;
  const until = signal ?? new AbortController().signal;
  const count = threadCount(threads as number, insist);
  const shards = await serve({ redis, version, threads: count, plain, signal: until, tell, insist });
  tell(`done: ${shards} ${shards === 1 ? "shard" : "shards"}`);
  return EXIT.done;
}
