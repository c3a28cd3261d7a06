/**
 * Connections to Redis. BullMQ and ioredis are optional: they are loaded here, when a queue is asked for, and nowhere
 * else. The first connection fails within seconds; those that follow outlast a server that goes away and comes back:
 * commands wait, and are sent again.
 */
import type * as Bullmq from "bullmq";
import type * as Ioredis from "ioredis";
import { ConfigError } from "../../core/errors.js";
import { QueueFault } from "../queue-fault.js";
import type { RedisAddress } from "./address.js";

/** The packages that a queue needs, what it uses of them. */
export interface Packages {
  readonly bullmq: Pick<typeof Bullmq, "Queue" | "QueueEvents" | "Worker" | "UnrecoverableError">;
  readonly ioredis: Pick<typeof Ioredis, "Redis">;
}

/** How the packages are found; a test brings some that are missing. */
export const PACKAGES = {
  bullmq: (): Promise<Packages["bullmq"]> => import("bullmq"),
  ioredis: (): Promise<Packages["ioredis"]> => import("ioredis"),
};

/** @throws ConfigError when they are not installed */
export async function loadPackages(from = PACKAGES): Promise<Packages> {
  try {
    const [bullmq, ioredis] = await Promise.all([from.bullmq(), from.ioredis()]);
    return { bullmq, ioredis };
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    const message =
      "--executor bullmq needs two packages that are not installed: npm install bullmq@6.7.0 ioredis@6.0.0";
    throw new ConfigError([{ key: "--executor", message }]);
  }
}

/** What a connection is given up after at first, and what a silent one is taken for dead after. */
const FIRST_MS = 4000;
const SILENT_MS = 30_000;
/** How long the other side may take to hang up, too. */
const FAREWELL_MS = 300;

/** The one policy under which Redis forgets nothing when its memory is full. */
const KEEPS = "noeviction";

/** What is known of a Redis from its first answers. */
export interface Probed {
  /** What it does when its memory is full. */
  readonly policy: string;
  /** Id of the last event of a queue. */
  readonly lastEventId: string;
}

/** What is said of a Redis that may forget shards; undefined if it does not. */
export const forgets = ({ policy }: Probed): string | undefined =>
  policy === KEEPS
    ? undefined
    : `redis may forget shards when its memory is full: maxmemory-policy ${plainText(policy)} (set ${KEEPS})`;

/** Options of a connection that outlasts its server. BullMQ blocks for 10 s at most, so silence is a dead socket. */
export const lasting = (address: RedisAddress, connectionName: string, { policy }: Probed) => ({
  ...address,
  // BullMQ would print its own words about this, for each connection.
  ...(policy !== KEEPS && { skipVersionCheck: true }),
  connectionName,
  maxRetriesPerRequest: null,
  connectTimeout: 10_000,
  disconnectTimeout: FAREWELL_MS,
  socketTimeout: SILENT_MS,
  retryStrategy: (times: number): number => Math.min(100 * times, 2000),
});

/** A connection that outlasts its server; its errors are heard by whoever watches for silence. */
export function connectionTo(
  { ioredis }: Packages,
  address: RedisAddress,
  name: string,
  probed: Probed,
): Ioredis.Redis {
  const client = new ioredis.Redis(lasting(address, name, probed));
  client.on("error", () => {});
  return client;
}

/**
 * Asks once whether there is a Redis that answers, with a connection of its own, and where the queue's events stand.
 * @throws QueueFault when there is none, with the reason; never with the address, which may hold a password
 */
export async function probe(
  { ioredis }: Packages,
  address: RedisAddress,
  queueName: string,
): Promise<Probed> {
  const client = new ioredis.Redis({
    ...address,
    lazyConnect: true,
    connectTimeout: FIRST_MS,
    disconnectTimeout: FAREWELL_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason: unknown;
  client.on("error", (error) => (reason ??= error));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), FIRST_MS);
  });
  try {
    return await Promise.race([
      client.connect().then(() => firstAnswers(client, address.db, queueName)),
      late,
    ]);
  } catch (error) {
    throw new QueueFault(`cannot reach redis (--redis or LLMSIM_REDIS): ${whyNot(reason ?? error)}`);
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
}

async function firstAnswers(client: Ioredis.Redis, db: number, queueName: string): Promise<Probed> {
  // The client asked for it as well, but stays in database 0 when there is none of that number.
  await client.select(db);
  const [last] = await client.xrevrange(`bull:${queueName}:events`, "+", "-", "COUNT", 1);
  // Who may not ask is told nothing.
  const info = await client.info("memory").catch(() => "");
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? KEEPS;
  return { policy, lastEventId: last?.[0] ?? "0-0" };
}

function whyNot(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  const text = String(message);
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "no such host";
  if (/ETIMEDOUT|no answer/.test(text)) return `no answer within ${FIRST_MS / 1000} s`;
  if (/NOAUTH|WRONGPASS|AUTH/.test(text)) return "user or password refused";
  if (/RESP type/.test(text)) return "what answers there is no redis";
  if (/DB index/i.test(text)) return "no such database";
  return plainText(code ?? text);
}

/** A text from elsewhere in one short line, without what a terminal would act on. */
export const plainText = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").slice(0, 300);

/** Waits for `work`, at most so long. */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work.catch(() => {}), late]);
  clearTimeout(timer);
}
