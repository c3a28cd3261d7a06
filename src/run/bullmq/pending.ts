/** What a submitter keeps of a job that is under way, and of one that is done; BullMQ's words about either. */
import type { Task, TrialValues } from "../../core/trial/trial.js";
import type { ShardJob } from "./job.js";

/** A job that was handed in and has no result yet. */
export interface Pending {
  readonly id: string;
  readonly task: Task;
  readonly job: ShardJob;
  readonly resolve: (values: TrialValues) => void;
  readonly reject: (error: unknown) => void;
  /** When it was last handed in or asked after. */
  seenAt: number;
  /** Its arrival in the queue was heard of: what fails from then on is this one. */
  isIn: boolean;
  /** It was there before: what it failed of may be long over. */
  isOld: boolean;
  /** It has been taken out and handed in anew. */
  isRenewed: boolean;
  /** How often it, or its trace, was gone when a worker came to it. */
  gone: number;
  /** It is being taken out: what is heard of it is about the one before. */
  isLeaving: boolean;
}

/** What a job came to, to compare a second result with. */
export interface Done {
  readonly task: Task;
  readonly fingerprint: string;
  readonly by: string;
}

/** Why a job failed. */
export const inWords = (reason: string): string =>
  reason === "job stalled more than allowable limit" ? "died or lost its connection" : reason;

/** A text as JSON; undefined for what is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
