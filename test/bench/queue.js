/**
 * `queue`: shards a second over a queue in Redis with 1, 2 and 4 worker processes on this machine, and what a shard
 * costs Redis: calls by INFO commandstats (scripts count what they call), its processor time, bytes in and out.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { prepare } from "../../dist/index.js";
import { submitter } from "../../dist/run/bullmq/submitter.js";
import { runner } from "../../dist/run/runner.js";
import { assertMeasured, timed } from "./figures.js";
import { demo2 } from "./demo2.js";

export const summary =
  "shards a second over Redis with 1, 2 and 4 worker processes, and what a shard costs Redis";

const quiet = { begin() {}, advance() {}, end() {} };
const VERSION = "0.0.0-bench";
const BIN = new URL("queue-process.js", import.meta.url).pathname;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Small shards show the queue's own cost, large ones that it does not matter. */
const SHARDS = [
  { name: "tiny", tmaxSeconds: 50, shards: 3000 },
  { name: "a second", tmaxSeconds: 900_000, shards: 16 },
];

export async function run({ isSmoke, say }) {
  if (spawnSync("redis-server", ["--version"]).error) return say("no redis-server here: not measured");
  const { Redis } = await import("ioredis");
  const folder = mkdtempSync(join(tmpdir(), "llmsim-bench-"));
  const port = await freePort();
  const flags = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir", folder];
  const server = spawn("redis-server", flags.map(String), { stdio: "ignore" });
  await sleep(500);
  const client = new Redis({ port });
  let workers = [];
  try {
    for (const { name, tmaxSeconds, shards } of isSmoke ? [{ ...SHARDS[0], shards: 20 }] : SHARDS)
      for (const count of isSmoke ? [1] : [1, 2, 4]) {
        workers = await Promise.all(Array.from({ length: count }, () => start(port)));
        say(
          `${name}, ${count} ${count === 1 ? "worker" : "workers"}: ${await measure(client, port, tmaxSeconds, shards, count)}`,
        );
        await Promise.all(workers.map(stop));
      }
  } finally {
    for (const worker of workers) worker.kill("SIGKILL");
    client.disconnect();
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}

const start = (port) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, String(port), VERSION], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.once("data", () => resolve(child));
  });
const stop = (child) =>
  new Promise((resolve) => {
    child.once("exit", resolve);
    child.kill("SIGTERM");
  });

async function measure(client, port, tmaxSeconds, shards, seed) {
  const executor = await submitter({ redis: { host: "127.0.0.1", port, db: 0 }, version: VERSION });
  // A shard a trial, whatever it costs.
  const fine = { width: 64, grain: () => 1, run: (task) => executor.run(task), close: async () => {} };
  const request = {
    label: "bench",
    configs: [prepare(demo2("hybrid", { tmaxSeconds }))],
    seed,
    trials: shards,
  };
  await runner(fine, quiet).run({ ...request, seed: 1000 + seed, trials: 8 }); // threads and code are warm
  const before = await figures(client);
  const cpuBefore = process.cpuUsage();
  const ns = await timed(() => runner(fine, quiet).run(request));
  const after = await figures(client);
  const { user, system } = process.cpuUsage(cpuBefore);
  await executor.close();
  const seconds = ns / 1e9;
  assertMeasured({ seconds });
  const per = (key) => (after[key] - before[key]) / shards;
  return (
    `${(shards / seconds).toFixed(shards / seconds < 10 ? 2 : 0)} shards/s (${((1000 * seconds) / shards).toFixed(2)} ms each); of a shard: ` +
    `${per("requests").toFixed(1)} requests, ${per("calls").toFixed(0)} calls, ${(per("cpu") * 1e6).toFixed(0)} µs of Redis, ${((user + system) / shards).toFixed(0)} µs of the run, ` +
    `${(per("in") / 1000).toFixed(1)} kB in, ${(per("out") / 1000).toFixed(1)} kB out`
  );
}

/** Requests are what clients sent (scripts as one), calls all that ran, those of scripts too. */
async function figures(client) {
  const text = await client.info("everything");
  const number = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)[1]);
  const stats = [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, calls]) => [
    name,
    Number(calls),
  ]);
  const calls = stats.reduce((sum, [, count]) => sum + count, 0);
  const sent = ["evalsha", "eval", "bzpopmin", "xread", "ping"];
  return {
    requests: stats.reduce((sum, [name, count]) => sum + (sent.includes(name) ? count : 0), 0),
    calls,
    cpu: number("used_cpu_sys") + number("used_cpu_user"),
    in: number("total_net_input_bytes"),
    out: number("total_net_output_bytes"),
  };
}
