/**
 * What plugins do outside of their calls: a timer that they leave behind, an error or a rejected promise that nobody
 * hears, `process.exit`. Each would end this process, or keep it, without a word of whose fault it is. Here each is
 * the fault of the plugin whose file stands in its stack, and fails what waits for that plugin.
 *
 * The process is watched from the first plugin on, this thread of it; without one nothing is.
 */
import { createHook } from "node:async_hooks";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ConfigError } from "../core/errors.js";
import { messageOf } from "../core/configuration/foreign-values.js";
import type { PluginFile } from "../core/configuration/plugin.js";

/** What keeps a process: a timer, a server, a process of its own. */
interface Keeping {
  readonly type: string;
  readonly resource: { hasRef(): boolean; unref(): void };
}

interface Watched {
  readonly name: string;
  /** What it has open, by number. */
  readonly open: Map<number, Keeping>;
  /** The first thing that it did. */
  fault?: ConfigError;
}

/** By the hash of a file, which stands in the address that it is imported by, and so in every stack. */
const watched = new Map<string, Watched>();

/** This program's folder as stacks name it, of modules and of others. */
const OWN = new URL("../../", import.meta.url);
const OWN_NAMES = [OWN.href, fileURLToPath(OWN)];

/** The address of a plugin's module; another content is another module. */
export const addressOf = (href: string, sha256: string): string => `${href}?sha256=${sha256}`;

function stackOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack) : "";
  } catch {
    return "";
  }
}

const inStack = (stack: string): Watched | undefined =>
  [...watched].find(([sha256]) => stack.includes(`?sha256=${sha256}`))?.[1];

/** Whose fault it is: of the plugin in the stack, of all if nobody is in it, of none where this program is. */
function culprits(error: unknown): readonly Watched[] {
  const stack = stackOf(error);
  const one = inStack(stack);
  if (one) return [one];
  return OWN_NAMES.some((name) => stack.includes(name)) ? [] : [...watched.values()];
}

function accuse(one: Watched, problem: string): ConfigError {
  const message = `plugin ${one.name}: ${problem}`;
  return (one.fault ??= new ConfigError([{ key: "--plugin", message }]));
}

/** @returns whether a plugin is to blame */
function blame(error: unknown, problem: string): boolean {
  // What process.exit threw is told already.
  const isTold = [...watched.values()].some(({ fault }) => fault === error);
  const all = isTold ? [] : culprits(error);
  for (const one of all) accuse(one, `${problem}: ${messageOf(error)}`);
  return isTold || all.length > 0;
}

function begin(): void {
  const heard = (problem: string) => (error: unknown) => {
    if (blame(error, problem)) return;
    // Ours: it ends the process as it would without a plugin.
    process.off("uncaughtException", onException);
    process.off("unhandledRejection", onRejection);
    process.nextTick(() => {
      throw error;
    });
  };
  const onException = heard("an error that nobody catches");
  const onRejection = heard("a rejected promise that nobody awaits");
  process.on("uncaughtException", onException);
  process.on("unhandledRejection", onRejection);

  const exit = process.exit.bind(process);
  process.exit = (code) => {
    const one = inStack(String(new Error().stack));
    if (one) throw accuse(one, `called process.exit(${code ?? ""})`);
    return exit(code);
  };

  createHook({
    init(id, type, _, given) {
      if (type === "PROMISE" || !("hasRef" in given)) return;
      const resource = given as Keeping["resource"];
      inStack(String(new Error().stack))?.open.set(id, { type, resource });
    },
    destroy(id) {
      for (const { open } of watched.values()) open.delete(id);
    },
  }).enable();
}

const wordsOf = ({ type }: Keeping): string =>
  type === "Timeout" || type === "Immediate"
    ? "left a timer behind (it keeps the process: clear it, or unref)"
    : `left something open (it keeps the process: close it, or unref; ${type})`;

/** Watches a plugin. @param name what errors call it */
export function watch({ sha256 }: PluginFile, name: string): void {
  if (watched.size === 0) begin();
  if (!watched.has(sha256)) watched.set(sha256, { name, open: new Map() });
}

/**
 * Does work of these plugins, and waits until what they began meanwhile had its turn.
 * @throws ConfigError with the first thing that one did outside of its calls, or has left behind
 */
export async function watching<T>(files: readonly PluginFile[], work: () => Promise<T>): Promise<T> {
  if (files.length === 0) return work();
  const judge = (): void => {
    for (const { sha256 } of files) {
      const one = watched.get(sha256);
      const kept = [...(one?.open.values() ?? [])].filter(({ resource }) => resource.hasRef());
      if (one && kept.length > 0) accuse(one, wordsOf(kept[0]));
      for (const { resource } of kept) resource.unref();
      if (one?.fault) throw one.fault;
    }
  };
  let done: T;
  try {
    done = await work();
  } catch (error) {
    judge();
    throw error;
  }
  // Rejections are told after the microtasks, ended timers after another turn.
  await setImmediate();
  await setImmediate();
  judge();
  return done;
}
