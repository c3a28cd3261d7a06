/**
 * The one seed of the suite: all that its properties and its other tests draw follows from it. It is fixed, so that
 * `npm test` never fails by chance; LLMSIM_TEST_SEED draws other cases, or a failed run's again (scripts/test-seeds.js).
 */
const FIXED = 20260401;
/** What fast-check takes as it is: a larger seed it would fold. */
const LARGEST = 2 ** 31 - 1;

/** The seed that `text` asks for, the fixed one if it is not set. Throws an Error if it is none. */
export function seedOf(text: string | undefined): number {
  if (text === undefined) return FIXED;
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > LARGEST)
    throw new Error(`invalid LLMSIM_TEST_SEED: ${text} (an integer at least 0 and at most ${LARGEST})`);
  return seed;
}

export const SEED = seedOf(process.env.LLMSIM_TEST_SEED);
