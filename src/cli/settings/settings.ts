/** The flags of every command that are not about the model: where, how many threads, how loud. */
import type { Issue } from "../../core/errors.js";
import { numberOrText } from "../../config/lists.js";
import { show } from "../../config/telling.js";
import type { RedisAddress } from "../../run/bullmq/address.js";
import { type Share, shareOf } from "../../run/share.js";
import { type ExecutorName, executorFrom } from "./executor.js";
import type { Flags } from "../../flags/given-flags.js";

export interface SharedSettings {
  /** Threads; 0: in this process; undefined: as many as the machine has cores. */
  readonly workers: number | undefined;
  /** Where tasks are run. */
  readonly executor: ExecutorName;
  /** The queue's, with the executor bullmq. */
  readonly redis: RedisAddress | undefined;
  readonly outData: string;
  readonly outFigs: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly verify: boolean;
  /** LLMSIM_PLAIN=1: simulate without the fast paths, to see whether they are at fault. */
  readonly plain: boolean;
  /** Continue from the journal of a run that was stopped. */
  readonly resume: boolean;
  /** Replace files that no llmsim wrote. */
  readonly overwrite: boolean;
  /** Lift what can be lifted of the limits. */
  readonly force: boolean;
  /** Only this share of the tasks. */
  readonly share: Share | undefined;
}

const MOST_WORKERS = 256;

/** Whether LLMSIM_PLAIN turns the fast paths off. */
export function isPlain(env: Readonly<Record<string, string | undefined>>, issues: Issue[]): boolean {
  const { LLMSIM_PLAIN: given } = env;
  if (given === undefined || given === "" || given === "0") return false;
  if (given !== "1")
    issues.push({ key: "LLMSIM_PLAIN", message: `invalid LLMSIM_PLAIN: ${show(given)} (1 or 0)` });
  return true;
}

export function sharedSettings(
  flags: Flags,
  issues: Issue[],
  env: Readonly<Record<string, string | undefined>> = {},
): SharedSettings {
  const given = flags.workers as string | undefined;
  const workers = given === undefined ? undefined : numberOrText(given);
  if (
    workers !== undefined &&
    !(typeof workers === "number" && Number.isInteger(workers) && workers >= 0 && workers <= MOST_WORKERS)
  )
    issues.push({
      key: "--workers",
      message: `invalid --workers: ${given} (an integer at least 0 and at most ${MOST_WORKERS}; 0 simulates in this process)`,
    });
  const part = flags.shard as string | undefined;
  const share = part === undefined ? undefined : shareOf(part);
  if (part !== undefined && !share)
    issues.push({
      key: "--shard",
      message: `invalid --shard: ${show(part)} (i/n with i from 1 to n, e.g. 2/8; n below a million)`,
    });
  const executor = executorFrom(flags, env, issues);
  if (share && executor.executor === "bullmq")
    issues.push({
      key: "--shard",
      message: "--shard contradicts --executor bullmq (one of them shares the work out)",
    });
  for (const name of ["outData", "outFigs"])
    if (flags[name] === "")
      issues.push({
        key: name,
        message: `invalid ${name === "outData" ? "--out-data" : "--out-figs"}: empty (a folder)`,
      });
  return {
    workers: workers as number | undefined,
    ...executor,
    outData: flags.outData as string,
    outFigs: flags.outFigs as string,
    json: flags.json === true,
    quiet: flags.quiet === true,
    color: flags.color !== false,
    verify: flags.verify === true,
    plain: isPlain(env, issues),
    resume: flags.resume === true,
    overwrite: flags.overwrite === true,
    force: flags.force === true,
    share,
  };
}
