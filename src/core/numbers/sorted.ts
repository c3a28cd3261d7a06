/**
 * The first place of an ascending list that holds `value` or more; `count` where none does.
 * @param count places that are in use, all of them unless given
 */
export function firstAtLeast(sorted: ArrayLike<number>, value: number, count = sorted.length): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
