/** A worker with one thread, as a process: PORT, VERSION. */
import { serve } from "../../dist/run/bullmq/worker.js";

const [port, version] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const redis = { host: "127.0.0.1", port: Number(port), db: 0 };
await serve({ redis, version, threads: 1, signal: stop.signal, tell: (line) => console.log(line) });
