/**
 * Which of the scheduler's versions a vLLM is, by the dates of merges and releases. The whole prompt has been reserved
 * since 24 March 2026 (first in 0.19), blocks without a hash go to the head of the free list since 16 June (#42656,
 * first in 0.24), and a preemption skips nobody since 6 August (#49206, first in 0.28). From 0.24 to 0.27 the last
 * alone is missing, which shows under `priority` with scarce memory only: they are taken as the latest.
 */

/** The first of 0.x that has an engine like the one simulated (V1). */
const OLDEST = 7;
/** The first that composes a batch ahead unless told otherwise. */
const ASYNCHRONOUS = 14;
const VERSIONS = [
  { from: OLDEST, version: "0.16" },
  { from: 19, version: "0.19" },
  { from: 24, version: "2026-08" },
] as const;

export interface KnownVersion {
  readonly version: (typeof VERSIONS)[number]["version"];
  /** Whether asynchronous scheduling is its default. */
  readonly isAsync: boolean;
}

/** What `0.19.2rc1.dev8+g4b7f5ea1a` is; undefined when nobody knows. */
export function versionOf(text: string): KnownVersion | undefined {
  const minor = Number(/^v?0\.(\d{1,4})(?=\D|$)/.exec(text)?.[1]);
  const found = VERSIONS.filter(({ from }) => minor >= from).at(-1);
  return found && { version: found.version, isAsync: minor >= ASYNCHRONOUS };
}

/** What an error says of a version that nobody knows. */
export const KNOWN_VERSIONS = `0.${OLDEST} or later, below 1`;
