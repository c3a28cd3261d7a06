/** A command line run in this process, in a folder of its own, with its streams caught. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { Readable } from "node:stream";
import { test as base } from "vitest";
import { main } from "../../src/cli/main.js";
import type { Streams } from "../../src/cli/streams.js";
import { nodeFiles } from "../../src/io/files.js";

export interface Session {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env?: Streams["env"];
  /** stdout and stderr are a terminal. */
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly fs?: Streams["fs"];
  /** What is piped in. */
  readonly stdin?: string;
  readonly signal?: AbortSignal;
}

/** Runs `llmsim` with these arguments; a text is split at its spaces. */
export async function llmsim(argv: string | readonly string[], around: Surroundings): Promise<Session> {
  const { cwd, env = {}, isTTY, columns, fs = nodeFiles, stdin, signal } = around;
  const caught = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr"): Streams["stdout"] => ({
    write: (text) => void (caught[name] += text),
    isTTY,
    columns,
  });
  const code = await main(typeof argv === "string" ? argv.split(" ").filter(Boolean) : argv, {
    stdout: output("stdout"),
    stderr: output("stderr"),
    env,
    cwd,
    fs,
    stdin: () => (stdin === undefined ? undefined : Readable.from([Buffer.from(stdin)])),
    ...(signal && { signal }),
  });
  return { code, ...caught };
}

/** Little work, in this process. */
export const SMALL = "--tmax 20 --ntrials 3 --workers 0";

/** A command line whose flags with a value give way to those of `more`: given twice they would be refused. */
export const instead = (line: string, more: string): string =>
  [...more.matchAll(/(--[\w-]+) [^-\s]\S*/g)].reduce(
    (rest, [, flag]) => rest.replace(new RegExp(`${flag} \\S+ ?`), ""),
    `${line} `,
  ) + more;

/** Which run wrote what (src/cli/files/record.ts) is left to its own tests: elsewhere it would stand in every list. */
const isRecord = (path: string): boolean => basename(path) === ".llmsim.json";

/** Every file below a folder with its content, by its path. */
export function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isRecord(path))
    .sort();
  return Object.fromEntries(
    files.map((file) => [relative(folder, file), readFileSync(file).toString("latin1")]),
  );
}

/** Everything below a folder by its path, folders too. */
export const listing = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => !isRecord(path))
    .sort();

/** A test with a folder of its own, which goes when the test is over. */
export const test = base.extend<{ folder: string }>({
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "llmsim-"));
    await use(folder);
    rmSync(folder, { recursive: true });
  },
});
