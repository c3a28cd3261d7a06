/**
 * The command line: `main(argv, streams)` returns the exit code and touches nothing but its streams, so that
 * fuzzers and fault tests run it in-process. What help and the version need is loaded at once, all else with the
 * command that needs it: the loading of a module is what `--help` is slow by.
 */
import { CommanderError } from "commander";
import { ConfigError } from "../core/errors.js";
import { EXPERIMENTS } from "../experiments/index.js";
import { nodeFiles } from "../io/files.js";
import { Interrupted } from "../run/interrupted.js";
import { careful } from "./process/careful.js";
import { outputOf } from "./process/process-output.js";
import { EXIT, report as reportError } from "./faults.js";
import { dropLocks } from "./files/lock.js";
import type { Flags } from "../flags/given-flags.js";
import { type Act, makeProgram, type PlainCommand } from "./program.js";
import { commandLine } from "../flags/shell.js";
import { stoppable } from "./process/stoppable.js";
import type { Streams } from "./streams.js";
import { version } from "./version.js";

/** What the list of commands says of those that are no experiments. */
const MERGE = { name: "merge", summary: "join the files of --shard into the command's own output" };
const WORKER = { name: "worker", summary: "work for runs with --executor bullmq, on this machine" };

/**
 * Runs one command line.
 * @param argv the arguments after the program's name
 * @returns the exit code (see EXIT)
 */
export async function main(argv: readonly string[], given: Streams): Promise<number> {
  const streams = { ...given, stdout: careful(given.stdout), stderr: careful(given.stderr) };
  const replay = commandLine(argv);
  let code: number = EXIT.done;
  const merge: PlainCommand = {
    ...MERGE,
    async describe(command) {
      const [{ describeMerge, merge }, { perform }] = await Promise.all([
        import("./merge.js"),
        import("./perform.js"),
      ]);
      describeMerge(command);
      command.action(async (files: string[], { allow = [] }: { allow?: string[] }) => {
        code = await merge(files, allow, streams, (experiment, flags, inputs, argv, answered) =>
          perform(experiment, flags, inputs, argv, streams, answered),
        );
      });
    },
  };
  const worker: PlainCommand = {
    ...WORKER,
    async describe(command) {
      const { describeWorker, work } = await import("./worker.js");
      describeWorker(command);
      command.action(async (flags: Flags) => {
        code = await work(flags, streams);
      });
    },
  };
  const act: Act = async (experiment, flags, files) => {
    const { perform } = await import("./perform.js");
    code = await perform(experiment, flags, files, argv, streams);
  };
  const program = makeProgram(EXPERIMENTS, version, streams, act, [merge, worker]);
  try {
    try {
      if (argv.length === 0) program.outputHelp();
      else await program.parseAsync(await withoutHelpCommand(argv), { from: "user" });
    } catch (error) {
      // It has printed help or the version.
      if (!(error instanceof CommanderError)) throw error;
    }
    await streams.stdout.taken?.();
    return code;
  } catch (error) {
    const { signal } = streams;
    // Whatever a stopped run stumbles over, it was stopped.
    const stopped = signal?.aborted === true && !(error instanceof Interrupted);
    return reportError(stopped ? signal.reason : error, streams.stderr, replay);
  }
}

/**
 * `help NAME` as `NAME --help`: commander would show it without the flags, which come with the command, and would
 * answer a command that is none with its help on stderr and no reason.
 */
async function withoutHelpCommand(argv: readonly string[]): Promise<string[]> {
  const [first, name] = argv;
  if (first !== "help" || name === undefined || name.startsWith("-")) return [...argv];
  const names = [...EXPERIMENTS, MERGE, WORKER].map((command) => command.name);
  if (names.includes(name)) return [name, "--help"];
  const { hint } = await import("../config/suggest.js");
  const message = `unknown command: ${name} (one of: ${names.join(", ")})${hint(name, names)}`;
  throw new ConfigError([{ key: "help", message }]);
}

/** Undefined when it was removed since the shell went there. */
function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/**
 * Runs the process's own command line and sets its exit code. The first signal asks the run to stop, the second ends
 * the process at once.
 */
export async function runProcess(): Promise<void> {
  const cwd = currentFolder();
  if (cwd === undefined) {
    process.stderr.write("error: the current folder is gone (change to one that is there)\n");
    process.exitCode = EXIT.fault;
    return;
  }
  const stop = new AbortController();
  const signals = ["SIGINT", "SIGTERM"] as const;
  type Signal = (typeof signals)[number];
  /** As the signal alone would end it: a read that hangs in a pipe holds up every other way out. */
  const die = (signal: Signal): void => {
    dropLocks();
    for (const one of signals) process.off(one, hear);
    process.kill(process.pid, signal);
  };
  const hear = (signal: Signal): void => {
    if (!stop.signal.aborted) return stop.abort(new Interrupted(signal));
    process.stderr.write("interrupted again: ended at once\n");
    die(signal);
  };
  for (const signal of signals) process.on(signal, hear);
  const { fs, stdin, open } = stoppable(nodeFiles, stop.signal);
  const stderr = outputOf(process.stderr, "stderr");
  const code = await main(process.argv.slice(2), {
    stdout: outputOf(process.stdout, "stdout"),
    stderr,
    stdin: () => (process.stdin.isTTY ? undefined : stdin<Buffer>(process.stdin)),
    env: process.env,
    cwd,
    fs,
    signal: stop.signal,
  });
  const isTold = await stderr.taken().then(
    () => true,
    () => false,
  );
  process.exitCode = isTold ? code : EXIT.fault;
  if (stop.signal.aborted && open() > 0) die((stop.signal.reason as Interrupted).signal);
}
