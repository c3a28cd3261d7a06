/**
 * One command from its flags to its files. The way in (main.ts) loads this, and with it the simulator, only when
 * a command is to be run.
 */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { ConfigError, type Issue } from "../core/errors.js";
import type { Experiment, InputFile, Report, Study } from "../experiments/experiment.js";
import type { Executor } from "../run/executor.js";
import { runner } from "../run/runner.js";
import { EXIT } from "./faults.js";
import { inputsFrom } from "./inputs.js";
import { optionValues, type OptionValues } from "./options.js";
import { body, document, header } from "./output.js";
import type { Flags } from "./program.js";
import { progressOn } from "./progress.js";
import { sharedSettings, type SharedSettings } from "./settings.js";
import type { Streams } from "./streams.js";
import { styleFor } from "./style.js";
import { studyFrom } from "./study.js";
import { tablesIn } from "./tables.js";
import { workspaceIn } from "./workspace.js";
import { unwritable, writeFiles } from "./write.js";

/** Everything of one experiment: read settings, simulate, print, write. Errors are thrown. */
export async function perform(
  experiment: Experiment,
  flags: Flags,
  files: readonly string[],
  replay: string,
  streams: Streams,
): Promise<number> {
  const issues: Issue[] = [];
  const shared = sharedSettings(flags, issues);
  const options = optionValues(experiment, flags, issues);
  const study = await studyFrom(experiment, flags, streams, issues);
  issues.push(...(experiment.check?.(options, study) ?? []));
  issues.push(...(await unwritable(experiment, shared, options, streams)));
  const inputs = await inputsFrom(experiment, files, streams, issues);
  if (issues.length > 0 || !study) throw new ConfigError(issues);
  const executor = lazyExecutor(shared.workers, streams.signal);
  try {
    return await conduct(experiment, { study, options, inputs, shared, replay, executor }, streams);
  } finally {
    await executor.close();
  }
}

interface Performance {
  readonly study: Study;
  readonly options: OptionValues;
  readonly inputs: readonly InputFile[];
  readonly shared: SharedSettings;
  readonly replay: string;
  readonly executor: Executor;
}

async function conduct(
  experiment: Experiment,
  { study, options, inputs, shared, replay, executor }: Performance,
  streams: Streams,
): Promise<number> {
  const { stdout, stderr } = streams;
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
    inputs,
    workspace: workspaceIn(places, streams, warn),
    tables: tablesIn(shared.outData, streams.cwd, streams.fs),
    trials: runner(executor, progressOn(stderr, shared.quiet), shared.verify),
    say,
    tell: (line) => {
      if (!shared.quiet) stderr.write(`${line}\n`);
    },
  });
  for (const line of report.answer.slice(said)) say(line);
  const conducted = { ...study, trials: report.trials ?? study.trials };
  const written = await writeFiles(report, places, streams.fs, warn);
  if (shared.json) stdout.write(document(experiment, conducted, report));
  else
    stdout.write(body(report, experiment.takesModel ? header(conducted) : undefined, written, replay, style));
  if (report.show) {
    const { show } = await import("./show.js");
    await show(report.show, resolve(places.cwd, places.data), streams, shared.json || shared.quiet);
  }
  return report.passed ? EXIT.done : EXIT.failed;
}

/** Threads start with the first task: `plot` and bad input start none. */
function lazyExecutor(workers: number | undefined, signal: AbortSignal | undefined): Executor {
  const threads = workers ?? availableParallelism();
  let started: Promise<Executor> | undefined;
  const start = async (): Promise<Executor> =>
    threads === 0
      ? (await import("../run/in-process.js")).inProcess(signal)
      : (await import("../run/pool.js")).threadPool(threads, signal);
  return {
    width: Math.max(1, threads),
    run: async (task) => (await (started ??= start())).run(task),
    close: async () => (await started)?.close(),
  };
}
