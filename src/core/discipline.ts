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
  /** The id at place i of the queue's own storage, 0 <= i < length; the order of places means nothing. */
  at(i: number): number;
  /** Makes `target`, another queue of this discipline, equal to this one. */
  copyInto(target: PromptOrder): void;
}

export type DisciplineDefinition = Definition<PromptOrder>;
