/**
 * Exact order statistics and type-7 percentiles (Hyndman & Fan 1996; NumPy's default) of a sample, with or
 * without weights, without sorting it: one counting pass into buckets, then only the buckets that hold a
 * wanted rank are looked at, again by buckets until few values are left.
 */

/** Samples of this size or less are sorted by insertion. */
const FEW = 24;
const MOST_BUCKETS = 4096;

/** Values with whole-number weights; without weights each counts once. */
export interface Sample {
  readonly values: Float64Array;
  readonly weights?: Float64Array;
  readonly count: number;
  /** Sum of the weights. */
  readonly total: number;
}

/**
 * The percentiles `ps` (shares in [0, 1], ascending) of a sample, by linear interpolation between the
 * neighbouring order statistics; NaN for an empty sample.
 */
export function percentiles(sample: Sample, ps: readonly number[]): number[] {
  const { total } = sample;
  if (total === 0) return ps.map(() => NaN);
  // Ascending and each once: in a small sample one percentile's neighbours are also the next one's.
  const ranks: number[] = [];
  const places = ps.map((p) => {
    const rank = Math.floor((total - 1) * p);
    for (const wanted of [rank, Math.min(rank + 1, total - 1)])
      if (ranks.length === 0 || wanted > ranks.at(-1)!) ranks.push(wanted);
    return ranks.lastIndexOf(rank);
  });
  const found = new Float64Array(ranks.length);
  select(sample, ranks, 0, ranks.length, 0, found);
  return ps.map((p, i) => {
    const place = places[i];
    const low = found[place];
    const high = found[Math.min(place + 1, ranks.length - 1)];
    const position = (total - 1) * p;
    return low + (high - low) * (position - Math.floor(position));
  });
}

/**
 * Finds the values at ranks[from .. to), ascending, counted from 0; `below` is the weight of what lies below
 * this sample.
 */
function select(
  sample: Sample,
  ranks: readonly number[],
  from: number,
  to: number,
  below: number,
  found: Float64Array,
): void {
  const { values, weights, count } = sample;
  let min = values[0];
  let max = min;
  for (let i = 1; i < count; i++) {
    const value = values[i];
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  if (min === max) {
    found.fill(min, from, to);
    return;
  }
  if (count <= FEW) {
    selectFew(sample, ranks, from, to, below, found);
    return;
  }
  const buckets = Math.min(MOST_BUCKETS, count);
  // Any increasing map of values to buckets is right; this one sends max to the last bucket.
  const scale = (buckets - 0.5) / (max - min);
  const sizes = new Int32Array(buckets);
  const heaps = weights ? new Float64Array(buckets) : sizes;
  for (let i = 0; i < count; i++) {
    const bucket = ((values[i] - min) * scale) | 0;
    sizes[bucket]++;
    if (weights) heaps[bucket] += weights[i];
  }

  // Which buckets hold a rank, and where their values go.
  const parts: Part[] = [];
  const place = new Int32Array(buckets);
  let taken = 0;
  let reached = below;
  let rank = from;
  for (let bucket = 0; rank < to; bucket++) {
    const start = rank;
    const end = reached + heaps[bucket];
    while (rank < to && ranks[rank] < end) rank++;
    if (rank > start) {
      parts.push({
        from: start,
        to: rank,
        below: reached,
        at: taken,
        count: sizes[bucket],
        total: heaps[bucket],
      });
      place[bucket] = taken + 1;
      taken += sizes[bucket];
    }
    reached = end;
  }
  const kept = new Float64Array(taken);
  const keptWeights = weights && new Float64Array(taken);
  for (let i = 0; i < count; i++) {
    const bucket = ((values[i] - min) * scale) | 0;
    const at = place[bucket];
    if (at === 0) continue;
    kept[at - 1] = values[i]!;
    if (keptWeights) keptWeights[at - 1] = weights[i]!;
    place[bucket] = at + 1;
  }
  for (const part of parts) {
    const range = [part.at, part.at + part.count] as const;
    const inner = { values: kept.subarray(...range), count: part.count, total: part.total };
    select(
      keptWeights ? { ...inner, weights: keptWeights.subarray(...range) } : inner,
      ranks,
      part.from,
      part.to,
      part.below,
      found,
    );
  }
}

/** A bucket that holds wanted ranks. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly below: number;
  readonly at: number;
  readonly count: number;
  readonly total: number;
}

/** Sorts a copy of a few values by insertion and reads the ranks off. */
function selectFew(
  sample: Sample,
  ranks: readonly number[],
  from: number,
  to: number,
  below: number,
  found: Float64Array,
): void {
  const { count } = sample;
  const values = sample.values.slice(0, count);
  const weights = sample.weights?.slice(0, count);
  for (let i = 1; i < count; i++) {
    const value = values[i];
    const weight = weights ? weights[i] : 1;
    let hole = i;
    for (; hole > 0 && values[hole - 1] > value; hole--) {
      values[hole] = values[hole - 1]!;
      if (weights) weights[hole] = weights[hole - 1]!;
    }
    values[hole] = value;
    if (weights) weights[hole] = weight;
  }
  let reached = below;
  let rank = from;
  for (let i = 0; rank < to; i++) {
    reached += weights ? weights[i] : 1;
    while (rank < to && ranks[rank] < reached) found[rank++] = values[i]!;
  }
}
