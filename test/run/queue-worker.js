/** A worker as a process, with locks that last a second instead of ten: PORT, VERSION, THREADS; dies when it is told to. */
import { serve } from "../../dist/run/bullmq/worker.js";

const [port, version, threads] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
await serve({
  redis: { host: "127.0.0.1", port: Number(port), db: 0 },
  version,
  threads: Number(threads),
  signal: stop.signal,
  tell: (line) => process.stdout.write(`${line}\n`),
  locks: { lockDuration: 1000, stalledInterval: 500 },
});
