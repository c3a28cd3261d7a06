/** The convention `mixedBatch: max` (model §3), as a model round a model: a mixed batch costs its dearer side. */
import type { BatchShape, ServiceTimeModel } from "./service-time-model.js";
import { asDuration, type Duration } from "../numbers/units.js";

export class MaxOfSides implements ServiceTimeModel {
  readonly random: boolean;
  readonly growsWithKv: boolean;
  /** One side of a batch. */
  private readonly side: { -readonly [Count in keyof BatchShape]: BatchShape[Count] } = {
    decodes: 0,
    sumKv: 0,
    prefillTokens: 0,
    chunkCount: 0,
    chunkTokens: new Int32Array(0),
    chunkCached: new Int32Array(0),
  };

  constructor(private readonly model: ServiceTimeModel) {
    this.random = model.random;
    this.growsWithKv = model.growsWithKv === true;
  }

  price(batch: BatchShape, draw: number): Duration {
    const { model, side } = this;
    if (batch.decodes === 0 || batch.prefillTokens === 0) return model.price(batch, draw);
    side.decodes = side.sumKv = 0;
    side.prefillTokens = batch.prefillTokens;
    side.chunkCount = batch.chunkCount;
    side.chunkTokens = batch.chunkTokens;
    side.chunkCached = batch.chunkCached;
    const prefill = model.price(side, draw);
    side.decodes = batch.decodes;
    side.sumKv = batch.sumKv;
    side.prefillTokens = side.chunkCount = 0;
    return asDuration(Math.max(prefill, model.price(side, draw)));
  }
}
