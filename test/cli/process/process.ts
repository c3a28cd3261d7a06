/** The built command as a process of its own, with what it says and how it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const BIN = fileURLToPath(new URL("../../../bin/llmsim.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr has said something. */
  readonly heard: Promise<unknown>;
}

export function start(command: string, argv: readonly string[], cwd: string): Running {
  const child = spawn(command, argv, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (data: Buffer) => (text.stdout += data));
  child.stderr.on("data", (data: Buffer) => (text.stderr += data));
  return {
    child,
    heard: new Promise((resolve) => child.stderr.once("data", resolve)),
    ended: new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal, ...text }));
    }),
  };
}

export const node = (argv: string, cwd: string): Running =>
  start(process.execPath, [BIN, ...argv.split(" ")], cwd);

/** A line of bash, in which $LLMSIM is the program; fails when a part of a pipe fails. */
export const bash = (line: string, cwd: string): Running =>
  start("bash", ["-c", `set -o pipefail; LLMSIM="${process.execPath} ${BIN}"; ${line}`], cwd);

/** Waits, look by look, until there is something; the test's own time limit ends it. */
export async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
