/**
 * Keeps an eye on a queue while a run waits for it: whether Redis still answers, whether any worker is there that may
 * do the work, and says so in a line, once. A run that hears nothing for minutes ends; what it has is kept.
 */
import type { Redis } from "ioredis";
import { QueueFault } from "../queue-fault.js";
import { type Build, connected, describeBuild, isSameBuild, otherBuilds } from "./peers.js";

export interface WatchOptions {
  readonly build: Build;
  readonly tell: (line: string) => void;
  readonly patienceSeconds: number;
  readonly lostSeconds: number;
  readonly lookSeconds: number;
  /** How many jobs are waited for. */
  readonly waiting: () => number;
  /** Time to look after them; `isBack` when Redis had not answered for a while. */
  readonly look: (isBack: boolean) => void;
  readonly lost: (fault: QueueFault) => void;
}

export interface Watch {
  /** A job was heard of. */
  heard(): void;
  close(): void;
}

/**
 * Time is counted in looks and not read from a clock: a process that was stopped (Ctrl-Z, a laptop that slept) or whose
 * clock was set has not waited for Redis meanwhile.
 */
export function watch(client: Redis, options: WatchOptions): Watch {
  const { build, tell, patienceSeconds, lostSeconds, lookSeconds } = options;
  /** Looks since a question that is not answered was asked; since a job was heard of. */
  let unanswered = 0;
  let unheard = 0;
  let isAway = false;
  let isAsked = false;
  let told = "";

  const say = (line: string): void => {
    if (line !== told) tell(line);
    told = line;
  };
  const answered = (): void => {
    const wasAway = isAway || unanswered > 2;
    unanswered = 0;
    if (isAway) say("redis answers again");
    isAway = false;
    options.look(wasAway);
  };
  const lookForWorkers = async (): Promise<void> => {
    const workers = await connected(client, "worker");
    if (!workers || workers.some((one) => isSameBuild(one, build)) || options.waiting() === 0) return;
    const others = otherBuilds(workers, build);
    const refused =
      others.length > 0 ? `; not fit for this run (${describeBuild(build)}): ${others.join("; ")}` : "";
    say(`waiting for a worker: llmsim worker --redis ...${refused}`);
  };
  const look = (): void => {
    if (isAsked) unanswered++;
    const silent = unanswered * lookSeconds;
    if (silent > lostSeconds)
      return options.lost(new QueueFault(`redis has not answered for ${Math.round(silent)} s`));
    if (silent > patienceSeconds) {
      isAway = true;
      if (options.waiting() > 0) say("redis does not answer: waiting for it");
    }
    unheard = options.waiting() === 0 ? 0 : unheard + 1;
    if (isAsked) return; // a question at a time: it is answered when Redis is back
    isAsked = true;
    void client
      .ping()
      .then(() => {
        const isPatient = isAway || unheard * lookSeconds <= patienceSeconds;
        answered();
        return isPatient ? undefined : lookForWorkers();
      })
      .catch(() => {})
      .finally(() => (isAsked = false));
  };
  const timer = setInterval(look, lookSeconds * 1000);
  return {
    heard() {
      unheard = 0;
      told = "";
    },
    close: () => clearInterval(timer),
  };
}
