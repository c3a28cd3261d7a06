/** A Redis of a test's own: Debian's server on a free port of the loopback, which tests may kill, freeze and restart. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RedisAddress } from "../../src/run/bullmq/address.js";

/** Why the tests of the queue are skipped, or undefined: they need the server's program. */
export const noRedis =
  spawnSync("redis-server", ["--version"]).error === undefined
    ? undefined
    : "no redis-server on this machine (Debian's package redis-server)";

export interface RedisServer {
  readonly address: RedisAddress;
  readonly url: string;
  /** The running process's. */
  pid(): number;
  /** Killed at once, and started again on the same port with what its append-only file holds. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => void socket.write("PING\r\n"));
    socket.on("error", () => resolve(false));
    socket.on("data", (data) => {
      socket.destroy();
      resolve(data.toString().startsWith("+PONG"));
    });
  });

export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-redis-"));
  const port = await freePort();
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn("redis-server", [...flags, "--appendonly", "yes", "--appendfsync", "always"], {
      stdio: "ignore",
    });
    while (!(await answers(port))) await sleep(20);
  };
  const kill = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  };
  await start();
  return {
    address: { host: "127.0.0.1", port, db: 0 },
    url: `redis://127.0.0.1:${port}`,
    pid: () => child.pid!,
    async restart() {
      await kill();
      await start();
    },
    async stop() {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}
