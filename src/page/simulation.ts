/**
 * Runs a study's trials in workers, one trial an order, so that new settings never wait for more than one old trial:
 * a worker that is still at one after a moment is ended and another takes its place.
 */
import type { Lane } from "../charts/index.js";
import { METRICS } from "../core/measures/metrics.js";
import { schedulerLabel } from "../experiments/tables/comparison.js";
import type { SimulationConfig } from "../core/configuration/config.js";
import { TrialRecords } from "../experiments/interface/trials.js";
import type { Answer, Order } from "./messages.js";

/** What the trials so far have come to. */
export interface Progress {
  readonly done: number;
  readonly of: number;
  /** Trials 1 to `records.trials`: all that are done without a hole before them. */
  readonly records: TrialRecords;
  /** By trial, then by configuration. */
  readonly curves: readonly (readonly Float64Array[])[];
}

export interface Listener {
  progressed(progress: Progress): void;
  recorded(lanes: readonly Lane[]): void;
  failed(message: string): void;
}

export interface Plan {
  readonly configs: readonly SimulationConfig[];
  readonly seed: number;
  readonly trials: number;
  /** Iterations a scheduler to record for the timeline. */
  readonly record: number;
}

interface Slot {
  worker: Worker;
  /** The order it is at. */
  order: Order | undefined;
}

/** An old trial may end within this time; then its worker is ended. */
const GRACE_MS = 30;
const MOST_WORKERS = 4;

export class Simulation {
  private readonly source: string;
  private readonly listener: Listener;
  private readonly slots: Slot[] = [];
  private job = 0;
  private queue: Order[] = [];
  private plan: Plan | undefined;
  private answers: Answer[] = [];

  /** @param source the worker's program */
  constructor(source: string, listener: Listener) {
    this.source = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    this.listener = listener;
    const count = Math.max(1, Math.min(MOST_WORKERS, (navigator.hardwareConcurrency || 2) - 1));
    for (let i = 0; i < count; i++) this.slots.push(this.started());
  }

  /** Drops what runs and runs this. */
  run(plan: Plan): void {
    this.plan = plan;
    this.answers = [];
    const job = ++this.job;
    const { configs, seed, trials, record } = plan;
    const labels = configs.map(schedulerLabel);
    const order = (trial: number, recorded: number): Order => ({
      job,
      configs,
      labels,
      seed,
      trial,
      record: recorded,
    });
    this.queue = Array.from({ length: trials }, (_, t) => order(t + 1, 0));
    // The timeline comes after the first curves and before the other trials.
    this.queue.splice(1, 0, order(1, record));
    for (const slot of this.slots) this.next(slot);
    setTimeout(() => {
      if (this.job === job) this.endOld();
    }, GRACE_MS);
  }

  /** Ends what runs; what is done stays. */
  cancel(): void {
    this.job++;
    this.queue = [];
    this.endOld();
  }

  get isRunning(): boolean {
    return this.queue.length > 0 || this.slots.some(({ order }) => order?.job === this.job);
  }

  private endOld(): void {
    this.slots.forEach((slot, i) => {
      if (!slot.order || slot.order.job === this.job) return;
      slot.worker.terminate();
      this.slots[i] = this.started();
      this.next(this.slots[i]);
    });
  }

  private started(): Slot {
    const worker = new Worker(this.source);
    const slot: Slot = { worker, order: undefined };
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      slot.order = undefined;
      if (data.job === this.job) this.take(data);
      this.next(slot);
    };
    worker.onerror = (event) => {
      slot.order = undefined;
      this.listener.failed(event.message || "the worker failed");
    };
    return slot;
  }

  private next(slot: Slot): void {
    if (slot.order) return;
    slot.order = this.queue.shift();
    if (slot.order) slot.worker.postMessage(slot.order);
  }

  private take(answer: Answer): void {
    if (answer.error !== undefined) {
      this.queue = [];
      this.listener.failed(answer.error);
    } else if (answer.lanes) this.listener.recorded(answer.lanes);
    else {
      this.answers[answer.trial - 1] = answer;
      this.tell();
    }
  }

  private tell(): void {
    const { configs, seed, trials: of } = this.plan!;
    let trials = 0;
    while (this.answers[trials]) trials++;
    if (trials === 0) return;
    const whole = this.answers.slice(0, trials);
    const values = new Float64Array(trials * configs.length * METRICS.length);
    whole.forEach((answer, t) => values.set(answer.values!, t * configs.length * METRICS.length));
    this.listener.progressed({
      done: Object.keys(this.answers).length,
      of,
      records: new TrialRecords({ label: "page", configs, seed, trials }, values),
      curves: whole.map(({ curves }) => curves!),
    });
  }
}
