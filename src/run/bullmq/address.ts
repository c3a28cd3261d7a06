/**
 * Where Redis is: a URL, which may hold a password and so is never printed, taken apart by hand so that nothing but
 * host, database and login can come in by it.
 */

/** A Redis server and how to log in there. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Number of the database. */
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** Over TLS (`rediss:`). */
  readonly tls?: Record<string, never>;
}

export const URL_FORM = "redis://[user:password@]host[:port][/db], rediss:// for TLS";

/** The address that a URL names; undefined when it is none. */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const [, db] = /^\/?$|^\/(\d{1,5})$/.exec(url.pathname) ?? [undefined, "none"];
  const isRedis = url.protocol === "redis:" || url.protocol === "rediss:";
  if (!isRedis || url.hostname === "" || url.search !== "" || url.hash !== "" || db === "none")
    return undefined;
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port === "" ? 6379 : Number(url.port),
      db: Number(db ?? 0),
      ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
      ...(url.password !== "" && { password: decodeURIComponent(url.password) }),
      ...(url.protocol === "rediss:" && { tls: {} }),
    };
  } catch {
    return undefined; // a % that begins no character
  }
}
