/** The interface of a queueing discipline: the order of the unstarted prompts, apart from how they are batched. */
import type { Described, Spec } from "../options/definition.js";

/** The queue of unstarted prompts, by request id. */
export interface WaitingQueue {
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
  copyInto(target: WaitingQueue): void;
  /** The class that a request is served by, the lower the sooner; a discipline without classes has none. */
  classOf?(id: number): number;
}

/**
 * What a discipline may know of the trial's requests. Whatever is drawn for one is drawn by its id alone, so it
 * depends on no policy, on no window and on no order of asking (model §4).
 */
export interface Predictions {
  /** Nanoseconds that the request takes on an engine of this kind that serves nothing else; whole, at least 0. */
  timeAlone(id: number): number;
  /** A standard normal variate, from the stream `prediction`. */
  normal(id: number): number;
  /** A uniform variate on [0, 1), from the stream `class`. */
  uniform(id: number): number;
  /** The priority that the request's trace gives it, the lower the sooner; undefined where there is none. */
  recordedClass(id: number): number | undefined;
}

export interface DisciplineDefinition extends Described {
  /** Makes an empty queue from a checked spec. */
  readonly create: (spec: Spec, known: Predictions) => WaitingQueue;
  /** Serves in the order of arrival: no request starts before one that arrived earlier. */
  readonly byArrival?: boolean;
  /** The order may depend on sizes: what it leaves over in overload is then not like what arrives. */
  readonly readsSizes?: (spec: Spec) => boolean;
}
