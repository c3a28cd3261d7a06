/**
 * What a user's scheduler is handed in place of the engine: the documented fields of view and batch (docs/plugins.md)
 * and no way to what is behind them, for as long as a batch is composed. Built-in schedulers get the real ones.
 *
 * Classes with private fields, and not closures over what is lent: a plugin's whole run takes 1.2 to 1.4 times as long
 * as with the engine's own objects, with closures 1.8 times.
 */
import { shown } from "./foreign-values.js";
import type { Batch, Head, Limits, PrefillingHead, PromptQueue, View } from "../policies/scheduler.js";
import type { Tokens, Instant } from "../numbers/units.js";

/** A copy that nobody can change: the engine's own would change with it. */
export const fixedLimits = ({ maxTokens, maxSequences, residentCap, chunk }: Limits): Limits =>
  Object.freeze({ maxTokens, maxSequences, residentCap, chunk });

function refuse(what: string): never {
  throw new TypeError(what);
}

/** Of other values the engine would ask what they are as a number, and so run code of theirs in its middle. */
const number = (name: string, value: unknown): number =>
  typeof value === "number" ? value : refuse(`${name}: ${shown(value)} (a number)`);

function demandWord(name: string, value: unknown, one: string, other: string): void {
  if (value !== one && value !== other) refuse(`${name}: ${shown(value)} (${one} or ${other})`);
}

/** Stands where nothing is lent. */
const nothing = <T extends object>(name: string): T =>
  new Proxy({} as T, { get: () => refuse(`${name} is only there while a batch is composed`) });
const NO_VIEW = nothing<View>("view");
const NO_BATCH = nothing<Batch>("batch");

class LentHead implements PrefillingHead {
  readonly #head: Head;

  constructor(head: Head) {
    this.#head = head;
    Object.freeze(this);
  }

  get exists(): boolean {
    return this.#head.exists;
  }

  get left(): Tokens {
    return this.#head.left;
  }

  get decodesAhead(): number {
    return (this.#head as PrefillingHead).decodesAhead;
  }
}

class LentView implements View {
  #view = NO_VIEW;
  /** The last one that was lent: its limits and heads stay the same objects. */
  #known = NO_VIEW;
  #limits!: Limits;
  #prefilling!: PrefillingHead;
  #waiting!: Head;

  constructor() {
    Object.freeze(this);
  }

  static lend(to: LentView, view: View): void {
    to.#view = view;
    if (view === to.#known) return;
    to.#known = view;
    to.#limits = fixedLimits(view.limits);
    to.#prefilling = new LentHead(view.prefilling);
    to.#waiting = new LentHead(view.waiting);
  }

  static takeBack(from: LentView): void {
    from.#view = NO_VIEW;
  }

  get now(): Instant {
    return this.#view.now;
  }

  get limits(): Limits {
    return this.#limits;
  }

  get decodable(): number {
    return this.#view.decodable;
  }

  get resident(): number {
    return this.#view.resident;
  }

  get freeBlocks(): number {
    return this.#view.freeBlocks;
  }

  get prefilling(): PrefillingHead {
    return this.#prefilling;
  }

  /** Its earlier name. */
  get partial(): PrefillingHead {
    return this.#prefilling;
  }

  get waiting(): Head {
    return this.#waiting;
  }
}

class LentBatch implements Batch {
  #batch = NO_BATCH;

  constructor() {
    Object.freeze(this);
  }

  static lend(to: LentBatch, batch: Batch): void {
    to.#batch = batch;
  }

  get tokensLeft(): Tokens {
    return this.#batch.tokensLeft;
  }

  get slotsLeft(): number {
    return this.#batch.slotsLeft;
  }

  decode(n: number): number {
    return this.#batch.decode(number("decode", n));
  }

  chunk(from: PromptQueue, tokens: Tokens): Tokens {
    if (from !== "partial") demandWord("chunk", from, "prefilling", "waiting");
    return this.#batch.chunk(from, number("chunk", tokens) as Tokens);
  }

  pack(prompts?: number, budget?: number, whole?: boolean): boolean {
    return this.#batch.pack(
      prompts === undefined ? prompts : number("pack", prompts),
      budget === undefined ? budget : number("pack", budget),
      whole === true,
    );
  }

  dependsOn(what: "arrivals" | "nothing"): void {
    demandWord("dependsOn", what, "arrivals", "nothing");
    this.#batch.dependsOn(what);
  }

  limited(side: "decode" | "prefill"): void {
    demandWord("limited", side, "decode", "prefill");
    this.#batch.limited(side);
  }
}

// One plugin may not change what another is handed, nor lend itself anything.
for (const { prototype } of [LentHead, LentView, LentBatch])
  Object.freeze(Object.defineProperty(prototype, "constructor", { value: Object }));

/** Stands before the view and the batch that are lent to it. */
export class Facade {
  readonly view: View;
  readonly batch: Batch;
  readonly #view = new LentView();
  readonly #batch = new LentBatch();

  constructor() {
    this.view = this.#view;
    this.batch = this.#batch;
  }

  lend(view: View, batch: Batch): void {
    LentView.lend(this.#view, view);
    LentBatch.lend(this.#batch, batch);
  }

  takeBack(): void {
    LentView.takeBack(this.#view);
    LentBatch.lend(this.#batch, NO_BATCH);
  }
}
