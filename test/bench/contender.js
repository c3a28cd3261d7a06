/** The parent's side of a build under test (contender-process.js). */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The build of this working tree. */
export const OURS = fileURLToPath(new URL("../../dist", import.meta.url));

/**
 * Figures of a round: ns per request in all and by part, and estimates [mean, standard error] of some metrics.
 * @typedef {{ requests: number, total: number, draw: number, loop: number, statistics: number,
 *   ttft_mean_s: [number, number], tbt_mean_s: [number, number], rts_p95_s: [number, number] }} Round
 */

/**
 * Starts a process that simulates with the build in `folder`.
 * @returns {{ round(config: object, trials: number): Promise<Round>, stop(): void }}
 */
export function contender(folder) {
  const child = fork(fileURLToPath(new URL("contender-process.js", import.meta.url)), [folder]);
  let isStopped = false;
  const ended = once(child, "exit").then(([code]) => {
    if (!isStopped) throw new Error(`the process of ${folder} ended with code ${code}`);
  });
  ended.catch(() => {}); // told to whoever waits for a round
  return {
    async round(config, trials) {
      child.send({ config, trials });
      return (await Promise.race([once(child, "message"), ended]))[0];
    },
    stop() {
      isStopped = true;
      child.kill();
    },
  };
}
