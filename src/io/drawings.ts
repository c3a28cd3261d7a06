/**
 * Draws figures in the order given: a few in this thread, many (`plot`, `reproduce`) on threads of their own, each of
 * which loads Vega once. Same spec, same bytes, wherever it is drawn.
 */
import { availableParallelism } from "node:os";
import type { TopLevelSpec } from "vega-lite";
import { drawersFor, openFilesLeft } from "./open-files.js";
import type { Drawing } from "./png-worker.js";

/** Figures that are worth a thread: it needs about as long to start as three take. */
const WORTH_A_THREAD = 8;

/** Threads load compiled code, also when this file runs from its source (as under test). */
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/io/png-worker-entry.cjs" : "../io/png-worker-entry.cjs",
  import.meta.url,
);

/** The drawings of `specs`, in their order, each as soon as it and those before are there. */
export async function* drawings(specs: readonly TopLevelSpec[]): AsyncGenerator<Drawing> {
  const wanted = Math.min(availableParallelism(), Math.floor(specs.length / WORTH_A_THREAD));
  const threads = drawersFor(wanted, openFilesLeft());
  if (threads < 2) {
    const { renderPng } = await import("./png.js");
    for (const spec of specs) {
      const warnings: string[] = [];
      const png = await renderPng(spec, { onWarning: (message) => void warnings.push(message) });
      yield { png, warnings };
    }
    return;
  }
  const { Piscina } = await import("piscina");
  const pool = new Piscina({ filename: workerFile.href, minThreads: threads, maxThreads: threads });
  try {
    const under: Promise<Drawing>[] = specs.map((spec) => pool.run(spec) as Promise<Drawing>);
    // Whoever fails is heard when its turn comes.
    for (const drawing of under) drawing.catch(() => {});
    for (const drawing of under) yield await drawing;
  } finally {
    await pool.destroy();
  }
}
