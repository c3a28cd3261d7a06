/** How long measured requests waited at the client before they were sent, where a cap made them wait (model §4). */
import { percentiles } from "../numbers/order-statistics.js";
import type { Outcome } from "../engine/outcome.js";

/** Writes the mean and the percentiles `shares` in ns to `into` from `at` on; NaN without a cap, or a request. */
export function clientWaits(
  { shared, firstMeasured, arrived }: Outcome,
  shares: readonly number[],
  into: Float64Array,
  at: number,
): void {
  into.fill(NaN, at, at + 1 + shares.length);
  const { dueAt } = shared.sequences.requests.clients ?? {};
  const total = arrived - firstMeasured;
  if (dueAt === undefined || !(total > 0)) return;
  const { arrivedAt } = shared.sequences.requests;
  const waits = Float64Array.from({ length: total }, (_, i) => {
    const row = firstMeasured + i;
    return arrivedAt[row] - dueAt[row];
  }).sort();
  into[at] = waits.reduce((sum, wait) => sum + wait, 0) / total;
  percentiles({ total, valueAt: (rank) => waits[rank] }, shares, into, at + 1);
}
