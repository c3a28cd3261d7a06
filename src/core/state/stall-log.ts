/**
 * The gaps of one replica's decode clock, kept so that the largest since a given reading is found at once.
 *
 * A stack whose gaps fall from bottom to top: a new gap removes all that are not larger, for nobody who asks from
 * now on can see one of these without the new one (the monotone stack of sliding maxima). So a stretch of
 * iterations costs constant time on average, and a question the logarithm of the stack.
 */
export class StallLog {
  private reading = new Float64Array(16);
  private gap = new Float64Array(16);
  private count = 0;

  clear(): void {
    this.count = 0;
  }

  /** The gaps that end at readings of the clock up to `reading` (above all before) are at most `gap` ns, one is. */
  push(reading: number, gap: number): void {
    while (this.count > 0 && this.gap[this.count - 1] <= gap) this.count--;
    if (this.count === this.gap.length) this.grow();
    this.reading[this.count] = reading;
    this.gap[this.count++] = gap;
  }

  /** The largest gap that ends at a reading above `reading`; 0 when there is none. */
  largestSince(reading: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.reading[middle] > reading) high = middle;
      else low = middle + 1;
    }
    return low < this.count ? this.gap[low] : 0;
  }

  copyInto(target: StallLog): void {
    while (target.gap.length < this.count) target.grow();
    target.reading.set(this.reading.subarray(0, this.count));
    target.gap.set(this.gap.subarray(0, this.count));
    target.count = this.count;
  }

  private grow(): void {
    const reading = new Float64Array(this.gap.length * 2);
    const gap = new Float64Array(this.gap.length * 2);
    reading.set(this.reading);
    gap.set(this.gap);
    this.reading = reading;
    this.gap = gap;
  }
}
