/**
 * The manifest of a reproduction: which experiment made which table, from which settings and seed, and the hash of
 * its bytes. Tables carry no run of their own, so that their bytes are the results'; where they came from stands here.
 */
import type { Row } from "./report.js";
import type { Study } from "./study.js";

/** What the manifest says of a finished experiment. */
export interface Finished {
  /** Hash of everything that its numbers depend on. */
  readonly key: string;
  /** What it ran; left out where only hashes are kept. */
  readonly study?: Pick<Study, "scenario" | "config" | "schedulers" | "trials">;
  /** Its CSVs with the hash of their bytes. */
  readonly csv: Readonly<Record<string, string>>;
  /** λ* by scheduler, for the comparison of chunking. */
  readonly rows?: readonly Row[];
}

export interface Manifest {
  readonly llmsim: string;
  readonly seed: number;
  readonly steps: Readonly<Record<string, Finished>>;
}

export const MANIFEST = "manifest.json";
