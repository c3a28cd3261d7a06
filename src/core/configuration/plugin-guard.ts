/**
 * A user's scheduler at work: whatever it throws, or answers that is none, says which plugin and where. A PlanError of
 * its own batch says by itself who broke which rule.
 */
import { ConfigError, InvariantError, PlanError } from "../errors.js";
import type { Spec } from "../options/definition.js";
import { fieldsOf, isObject, messageOf, plainCopy, shown } from "./foreign-values.js";
import { Facade, fixedLimits } from "./plugin-facade.js";
import type { Batch, Limits, Scheduler, View } from "../policies/scheduler.js";
import { toSeconds } from "../numbers/units.js";

const PARTS = ["compose", "everyIteration", "decodesFirst", "decodesAll", "decodeOrder"] as const;

export type Refuse = (problem: string) => never;

/** Refuses what the scheduler of a plugin did. */
export const refuser =
  (file: string, name: string): Refuse =>
  (problem) => {
    const message = `plugin ${file}: scheduler ${name}: ${problem}`;
    throw new ConfigError([{ key: "--plugin", message }]);
  };

/** Makes a scheduler by a plugin's `create`. */
export function guarded(file: string, name: string, create: (spec: Spec) => unknown, spec: Spec): Scheduler {
  const refuse = refuser(file, name);
  const attempt = <T>(what: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      return refuse(`${what}: ${messageOf(error)}`);
    }
  };
  const made = attempt("create threw", () => create(plainCopy(spec) as Spec));
  const parts = attempt("what create made cannot be read", () =>
    isObject(made) ? fieldsOf(made, PARTS) : undefined,
  );
  if (!parts || typeof parts.compose !== "function")
    return refuse("create made no scheduler (an object with compose(view, batch))");
  const { everyIteration, decodesFirst, decodeOrder, decodesAll } = parts;
  if (decodeOrder !== undefined && decodeOrder !== "prefill-end" && decodeOrder !== "admission")
    return refuse(`invalid decodeOrder: ${shown(decodeOrder)} (prefill-end or admission)`);
  if (decodesAll !== undefined && typeof decodesAll !== "function")
    return refuse(`invalid decodesAll: ${shown(decodesAll)} (a function of the limits)`);
  const scheduler = made as Scheduler;
  const howMany = (limits: Limits): number => {
    const most = attempt("decodesAll threw", () => scheduler.decodesAll?.(fixedLimits(limits))) as unknown;
    return typeof most === "number" && most >= 0
      ? most
      : refuse(`decodesAll: ${shown(most)} (how many, at least 0)`);
  };
  return {
    ...(everyIteration === true && { everyIteration }),
    ...(decodesFirst === true && { decodesFirst }),
    ...(decodesAll !== undefined && { decodesAll: howMany }),
    ...(decodeOrder !== undefined && { decodeOrder }),
    compose: composing(scheduler, name, refuse),
  };
}

/** Its `compose`, which is lent view and batch for the time of a call. */
function composing(scheduler: Scheduler, name: string, refuse: Refuse): Scheduler["compose"] {
  const facade = new Facade();
  return (view: View, batch: Batch): void => {
    let isPromise: boolean;
    facade.lend(view, batch);
    try {
      isPromise = isThenable(scheduler.compose(facade.view, facade.batch));
    } catch (error) {
      if (isEngines(error, name)) throw error;
      refuse(`compose threw at ${toSeconds(view.now)} s: ${messageOf(error)}`);
    } finally {
      facade.takeBack();
    }
    if (isPromise!) refuse("compose returned a promise (a batch is composed at once, without waiting)");
  };
}

/** Whether the engine threw it: about this scheduler's batch, or about itself. */
function isEngines(error: unknown, name: string): boolean {
  try {
    return error instanceof InvariantError || (error instanceof PlanError && error.scheduler === name);
  } catch {
    return false; // a Proxy that will not be asked
  }
}

/** Whether it is a promise, or like one; what it may be rejected with is nobody's concern any more. */
function isThenable(returned: unknown): boolean {
  if (!isObject(returned)) return false;
  const { then } = fieldsOf(returned, ["then"]);
  if (typeof then !== "function") return false;
  const ignore = (): void => {};
  Reflect.apply(then, returned, [ignore, ignore]);
  return true;
}
