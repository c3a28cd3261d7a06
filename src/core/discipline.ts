/** The interface of a queueing discipline: the order of the unstarted prompts, apart from how they are batched. */
import type { Definition } from "./definition.js";

/** The queue of unstarted prompts, by request id. */
export interface PromptOrder {
  readonly length: number;
  /** The id whose turn it is; the queue must not be empty. */
  readonly first: number;
  /** A request arrives. */
  pushBack(id: number): void;
  /** Removes the id whose turn it is and returns it; the queue must not be empty. */
  popFront(): number;
  clear(): void;
}

export type DisciplineDefinition = Definition<PromptOrder>;
