/**
 * The command line: `main(argv, streams)` returns the exit code and touches nothing but its streams, so that
 * fuzzers and fault tests run it in-process.
 */
import { availableParallelism } from "node:os";
import { CommanderError } from "commander";
import { hint } from "../config/suggest.js";
import { ConfigError, type Issue } from "../core/errors.js";
import type { Registry } from "../core/registry.js";
import type { Trace } from "../core/trace.js";
import * as registered from "../experiments/index.js";
import type { Experiment, Report, Study } from "../experiments/experiment.js";
import { nodeFiles } from "../io/files.js";
import { type Executor, Interrupted } from "../run/executor.js";
import { EXIT, report as reportError } from "./faults.js";
import { optionValues, type OptionValues } from "./options.js";
import { body, document, header } from "./output.js";
import { complaintOf, type Flags, makeProgram } from "./program.js";
import { progressOn } from "./progress.js";
import { sharedSettings, type SharedSettings } from "./settings.js";
import { shellWord } from "./shell.js";
import type { Streams } from "./streams.js";
import { styleFor } from "./style.js";
import { tablesIn } from "./tables.js";
import { studyFrom } from "./study.js";
import { version } from "./version.js";
import { workspaceIn } from "./workspace.js";
import { unwritable, writeFiles } from "./write.js";

const EXPERIMENTS: readonly Experiment[] = Object.values(registered);

/**
 * Runs one command line.
 * @param argv the arguments after the program's name
 * @returns the exit code (see EXIT)
 */
export async function main(argv: readonly string[], streams: Streams): Promise<number> {
  const replay = ["llmsim", ...argv.map(shellWord)].join(" ");
  let code: number = EXIT.done;
  const program = makeProgram(EXPERIMENTS, version, streams, async (experiment, flags) => {
    code = await perform(experiment, flags, replay, streams);
  });
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return EXIT.done;
    }
    refuseUnknownHelp(argv);
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      const complaint = complaintOf(error);
      return complaint ? reportError(complaint, streams.stderr, replay) : EXIT.done;
    }
    const { signal } = streams;
    return reportError(signal?.aborted ? signal.reason : error, streams.stderr, replay);
  }
}

/** `help NAME` of a command that is none: commander would print its help to stderr and give no reason. */
function refuseUnknownHelp([first, name]: readonly string[]): void {
  const names = EXPERIMENTS.map((experiment) => experiment.name);
  if (first !== "help" || name === undefined || name.startsWith("-") || names.includes(name)) return;
  const message = `unknown command: ${name} (one of: ${names.join(", ")})${hint(name, names)}`;
  throw new ConfigError([{ key: "help", message }]);
}

/** Everything of one experiment: read settings, simulate, print, write. Errors are thrown. */
async function perform(
  experiment: Experiment,
  flags: Flags,
  replay: string,
  streams: Streams,
): Promise<number> {
  const issues: Issue[] = [];
  const shared = sharedSettings(flags, issues);
  const options = optionValues(experiment, flags, issues);
  const found = await studyFrom(experiment, flags, streams, issues);
  issues.push(...(await unwritable(experiment, shared, options, streams)));
  if (issues.length > 0 || !found) throw new ConfigError(issues);
  const { study, traces } = found;
  const executor = lazyExecutor(shared.workers, streams.signal, study.registry, traces);
  try {
    return await conduct(experiment, { study, options, shared, replay, executor }, streams);
  } finally {
    await executor.close();
  }
}

interface Performance {
  readonly study: Study;
  readonly options: OptionValues;
  readonly shared: SharedSettings;
  readonly replay: string;
  readonly executor: Executor;
}

async function conduct(
  experiment: Experiment,
  { study, options, shared, replay, executor }: Performance,
  streams: Streams,
): Promise<number> {
  const { stdout, stderr } = streams;
  const { runner } = await import("../run/runner.js");
  const style = styleFor(stdout, streams, shared.color);
  let said = 0;
  const say = (line: string): void => {
    said++;
    if (!shared.json) stdout.write(`${style.bold(line)}\n`);
  };
  const warn = (warning: string): void => void stderr.write(`warning: ${warning}\n`);
  const places = { cwd: streams.cwd, data: shared.outData, figs: shared.outFigs };
  const report: Report = await experiment.run({
    study,
    options,
    workspace: workspaceIn(places, streams, warn),
    tables: tablesIn(shared.outData, streams.cwd, streams.fs),
    trials: runner(executor, progressOn(stderr, shared.quiet), shared.verify, study.registry),
    say,
    tell: (line) => {
      if (!shared.quiet) stderr.write(`${line}\n`);
    },
  });
  for (const line of report.answer.slice(said)) say(line);
  const written = await writeFiles(report, places, streams.fs, warn);
  if (shared.json) stdout.write(document(experiment, study, report));
  else stdout.write(body(report, experiment.takesModel ? header(study) : undefined, written, replay, style));
  return report.passed ? EXIT.done : EXIT.failed;
}

/** Threads start with the first task: `plot` and bad input start none. */
function lazyExecutor(
  workers: number | undefined,
  signal: AbortSignal | undefined,
  registry: Registry | undefined,
  traces: readonly Trace[],
): Executor {
  const threads = workers ?? availableParallelism();
  let started: Promise<Executor> | undefined;
  const start = async (): Promise<Executor> =>
    threads === 0
      ? (await import("../run/in-process.js")).inProcess(signal, registry)
      : (await import("../run/pool.js")).threadPool(threads, signal, traces);
  return {
    width: Math.max(1, threads),
    run: async (task) => (await (started ??= start())).run(task),
    close: async () => (await started)?.close(),
  };
}

/** Runs the process's own command line and sets its exit code. */
export async function runProcess(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new Interrupted(signal)));
  // A reader that has gone (`| head`) ends the output, not the run: files are still written.
  let isLost = false;
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE" || isLost) return;
      isLost = true;
      process.exitCode = EXIT.fault;
      const reason = error.message.replace(/^\w+: |, \w+$/g, "");
      if (stream === process.stdout) process.stderr.write(`error: cannot write to stdout: ${reason}\n`);
    });
  const code = await main(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    fs: nodeFiles,
    signal: stop.signal,
  });
  process.exitCode = isLost ? EXIT.fault : code;
}
