/**
 * What disciplines may know of a trial's requests beforehand: the time that each would take alone, and numbers
 * drawn for it. Numbers are drawn in the order of ids and kept, so that no policy, window or order of asking moves
 * them; a trial whose discipline asks for nothing draws nothing.
 */
import type { Predictions } from "./discipline.js";
import { stream, type Stream } from "../numbers/random.js";
import type { Requests } from "../workload/requests.js";
import type { ServiceTimeModel } from "../service-times/service-time-model.js";
import type { Tokens } from "../numbers/units.js";

export interface EngineAlone {
  readonly model: ServiceTimeModel;
  readonly maxTokens: Tokens;
  /** Chunk size; UNLIMITED without chunking. */
  readonly chunk: Tokens;
  /** `firstToken: prefill`: the end of the prefill emits output token 1. */
  readonly emitsAtPrefillEnd: boolean;
}

/** A column that grows with the ids that are asked for. */
class Column {
  private values = new Float64Array(0);
  private filled = 0;

  constructor(private readonly next: (id: number) => number) {}

  of(id: number): number {
    if (id >= this.values.length) {
      const larger = new Float64Array(Math.max(256, 2 * id));
      larger.set(this.values);
      this.values = larger;
    }
    while (this.filled <= id) this.values[this.filled] = this.next(this.filled++);
    return this.values[id];
  }
}

/**
 * @param requests the trial's; arrivals ask for them by id
 * @param seed of the study, with the number of the trial
 */
export function predictionsOf(
  requests: Requests,
  engine: EngineAlone,
  seed: number,
  trial: number,
): Predictions {
  // Made when they are asked for, which most disciplines do not do.
  let predictions: Stream | undefined;
  let classes: Stream | undefined;
  const times = new Column((id) => timeAlone(requests, engine, id));
  const normals = new Column(() => (predictions ??= stream(seed, trial, "prediction")).normal());
  const uniforms = new Column(() => (classes ??= stream(seed, trial, "class")).uniform());
  return {
    timeAlone: (id) => times.of(id),
    normal: (id) => normals.of(id),
    uniform: (id) => uniforms.of(id),
    recordedClass: (id) => requests.priority?.[id],
  };
}

/** The shapes of a lone request's iterations; the numbers are filled in before each is priced. */
const CHUNK = {
  decodes: 0,
  sumKv: 0,
  prefillTokens: 0,
  chunkCount: 1,
  chunkTokens: new Int32Array(1),
  chunkCached: new Int32Array(1),
};
const DECODE = {
  ...CHUNK,
  decodes: 1,
  chunkCount: 0,
  chunkTokens: new Int32Array(0),
  chunkCached: new Int32Array(0),
};

/**
 * Iterations of one request that has the engine to itself, priced one by one where the time depends on the
 * context: pieces of its prompt as chunk and budget allow, then a decode for each token that is left. A random
 * iteration time counts with its mean. A policy that gives prompts less than the whole budget takes longer.
 */
function timeAlone(requests: Requests, engine: EngineAlone, id: number): number {
  const { model, maxTokens, chunk, emitsAtPrefillEnd } = engine;
  const prompt = requests.promptTokens[id];
  const output = requests.outputTokens[id];
  let time = 0;
  for (let cached = requests.hitTokens(id); cached < prompt;) {
    const piece = Math.min(prompt - cached, chunk, maxTokens);
    CHUNK.prefillTokens = CHUNK.chunkTokens[0] = piece;
    CHUNK.chunkCached[0] = cached;
    time += model.price(CHUNK, 1);
    cached += piece;
  }
  const decodes = emitsAtPrefillEnd ? Math.max(0, output - 1) : output;
  const step = (sumKv: number): number => {
    DECODE.sumKv = sumKv;
    return model.price(DECODE, 1);
  };
  if (model.growsWithKv !== true) return decodes === 0 ? time : time + decodes * step(prompt);
  for (let i = 0; i < decodes; i++) time += step(prompt + i);
  return time;
}
