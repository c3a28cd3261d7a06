/**
 * Who is there: every connection of ours carries a name that says what it is for, which version it is and which code
 * it simulates with. Only the same version with the same core may work for a run, as another may come to other
 * values, so a queue belongs to one version and core; a run or a worker that others cannot serve says who they are.
 */
import type { Redis } from "ioredis";

/** A version of the program and the hash of its simulating code: values of another are not taken. */
export interface Build {
  readonly version: string;
  /** `coreHash()`, hexadecimal. */
  readonly core: string;
}

export type Role = "run" | "worker";

const CORE_DIGITS = 16;
const shortCore = (core: string): string => core.slice(0, CORE_DIGITS);

export const queueName = ({ version, core }: Build): string => `llmsim-${version}-${shortCore(core)}`;
export const connectionName = (role: Role, { version, core }: Build): string =>
  `llmsim/${role}/${version}/${shortCore(core)}`;

/** As messages name a build. */
export const describeBuild = ({ version, core }: Build): string =>
  `llmsim ${version}, core ${core.slice(0, 8)}`;

/**
 * The builds of all that are connected to the client's database in a role, one entry a connection; undefined where Redis
 * does not tell.
 */
export async function connected(client: Redis, role: Role): Promise<Build[] | undefined> {
  const list = await client.client("LIST").then(String, () => undefined);
  if (list === undefined) return undefined;
  const here = `\\bname=llmsim/${role}/([\\w.+-]+)/([0-9a-f]{${CORE_DIGITS}}) [^\\n]*\\bdb=${client.options.db ?? 0} `;
  const pattern = new RegExp(here, "g");
  return [...list.matchAll(pattern)].map(([, version, core]) => ({ version, core }));
}

export const isSameBuild = (a: Build, b: Build): boolean =>
  a.version === b.version && shortCore(a.core) === shortCore(b.core);

/** Builds other than `mine`, each once, in words. */
export const otherBuilds = (found: readonly Build[], mine: Build): string[] => [
  ...new Set(found.filter((build) => !isSameBuild(build, mine)).map(describeBuild)),
];
