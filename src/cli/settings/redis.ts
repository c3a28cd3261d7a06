/**
 * `--redis URL`, or LLMSIM_REDIS: the queue's address. It may hold a password, so it is never printed: a command that
 * is shown to be run again has the variable in its place (shell.ts).
 */
import type { Issue } from "../../core/errors.js";
import { parseRedisUrl, type RedisAddress, URL_FORM } from "../../run/bullmq/address.js";
import type { Flags } from "../../flags/given-flags.js";

/** The address by flag or environment; what is wrong with it, or that there is none, is added to `issues`. */
export function redisFrom(
  flags: Flags,
  env: Readonly<Record<string, string | undefined>>,
  issues: Issue[],
): RedisAddress | undefined {
  const flag = flags.redis as string | undefined;
  const url = flag ?? env.LLMSIM_REDIS;
  const name = flag === undefined ? "LLMSIM_REDIS" : "--redis";
  const address = url === undefined ? undefined : parseRedisUrl(url);
  if (url === undefined) issues.push({ key: "--redis", message: `missing value: --redis (${URL_FORM})` });
  else if (!address)
    issues.push({ key: "--redis", message: `invalid ${name}: no address of redis (${URL_FORM})` });
  return address;
}
