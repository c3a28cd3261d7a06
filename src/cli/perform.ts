/**
 * One command from its flags to its files. The way in (main.ts) loads this, and with it the simulator, only when
 * a command is to be run.
 */
import { resolve } from "node:path";
import { ConfigError, InvariantError, type Issue, PlanError } from "../core/errors.js";
import { inALine } from "../core/foreign-words.js";
import type { PluginFile } from "../core/configuration/plugin.js";
import type {
  Experiment,
  ExperimentContext,
  InputFile,
  RunSettings,
} from "../experiments/interface/experiment.js";
import type { Report } from "../experiments/interface/report.js";
import type { Study } from "../experiments/interface/study.js";
import { checkFits } from "../experiments/load/rejection.js";
import { Disagreement } from "../run/disagreement.js";
import type { Executor } from "../run/executor.js";
import { Interrupted } from "../run/interrupted.js";
import { watching } from "../run/plugin-files.js";
import { runner } from "../run/runner.js";
import { tellingOn } from "./process/careful.js";
import { checkpoint, type Checkpoint } from "./resume/checkpoint.js";
import { cutBy, lazyExecutor } from "./settings/executor.js";
import { EXIT, report as tellFault } from "./faults.js";
import { RefusedOutput } from "./files/folder-record.js";
import { tellGitHub } from "./output/github.js";
import { inputsFrom } from "./settings/inputs.js";
import { undrawable } from "./process/open-files.js";
import { optionValues, type OptionValues } from "../flags/options.js";
import { body, document, header, partial } from "./output/output.js";
import { blamed, carrying, pluginsFrom } from "./settings/plugins.js";
import type { Answered } from "./merge.js";
import type { Flags } from "../flags/given-flags.js";
import { progressOn } from "./output/progress.js";
import { notingReads } from "./files/reads.js";
import { sharedSettings, type SharedSettings } from "./settings/settings.js";
import { type ShardRun, sharedOut, shardRun, unshareable, withoutFiles } from "./resume/shard.js";
import { commandLine } from "../flags/shell.js";
import type { Streams } from "./streams.js";
import { styleFor } from "./output/style.js";
import { studyFrom } from "./settings/study.js";
import { chosenBy } from "./settings/chosen-experiment.js";
import { unwritable, writeFiles } from "./files/write.js";
import { journalSettings, outputsOf, settingsThatDecide, type Writing } from "./writing.js";

/**
 * Everything of one experiment: read settings, simulate, print, write. Errors are thrown.
 * @param argv the command line that it is, for its words
 * @param answered what all its tasks came to, where they are done already
 */
export async function perform(
  command: Experiment,
  flags: Flags,
  files: readonly string[],
  argv: readonly string[],
  streams: Streams,
  answered?: Answered,
): Promise<number> {
  const issues: Issue[] = [];
  const experiment = chosenBy(flags, command, issues);
  const shared = sharedSettings(flags, issues, streams.env);
  const options = optionValues(experiment, flags, issues);
  const folder = options[experiment.reads?.option ?? ""];
  const named = typeof folder === "string" ? [folder] : files;
  // What is read until the run begins is its input.
  const reads = notingReads(streams.fs);
  const reading = { ...streams, fs: reads.fs };
  const inputs = await inputsFrom(experiment, named, reading, issues);
  const run = issues.length === 0 ? runSettings(experiment, inputs, options, issues) : undefined;
  const plugged = await pluginsFrom(flags, reading, issues);
  const found = plugged && (await studyFrom(experiment, flags, reading, issues, plugged, run));
  issues.push(...checkFits(found?.study), ...(experiment.check?.(options, found?.study) ?? []));
  issues.push(...unshareable(experiment, options, shared));
  issues.push(...(await unwritable(experiment, shared, options, streams)), ...undrawable(experiment));
  const task = { experiment, options, shared, inputs, reads, argv };
  const writing = outputsOf(task, found?.study, streams, answered);
  issues.push(...(await writing.check(issues.length === 0)));
  if (issues.length > 0 || !plugged || !found) throw new ConfigError(issues);
  const { study, traces } = found;
  const inner = answered?.executor ?? lazyExecutor(shared, study.registry, traces, streams);
  try {
    const settings = { ...settingsThatDecide(experiment, options, study), ...cutBy(shared) };
    const { cwd, fs } = streams;
    const tell = tellingOn(streams.stderr);
    const { share, resume, outData: folder } = shared;
    const parted = sharedOut(settings, shared.verify);
    const replay = commandLine(argv);
    const given = { study, options, inputs, shared, replay, writing, plugins: plugged.files };
    if (answered) {
      answered.check(experiment.name, parted);
      return await conduct(experiment, { ...given, executor: carrying(inner, plugged) }, streams);
    }
    const saved = await checkpoint(
      inner,
      {
        command: experiment.name,
        settings: journalSettings(settings, share),
        ...{ resume, cwd, folder, fs, tell },
      },
      experiment.writes.some((file) => file.startsWith("data/")),
    );
    const part = share && shardRun(saved.executor, share, experiment.name, parted, argv, folder);
    // Outside the journal: what a plugin of another content came to is not taken over.
    const executor = carrying((part ?? saved).executor, plugged);
    return await guarded(saved, tell, () =>
      conduct(experiment, { ...given, executor, ...(part && { part }) }, streams),
    );
  } catch (error) {
    throw blamed(error, plugged);
  } finally {
    await inner.close();
  }
}

/** The settings that the files bring; what is wrong with them is added to `issues`. */
function runSettings(
  experiment: Experiment,
  inputs: readonly InputFile[],
  options: OptionValues,
  issues: Issue[],
): RunSettings | undefined {
  try {
    return experiment.settingsOf?.(inputs, options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}

/** What took less time need not be kept for a second try. */
const WORTH_KEEPING_MS = 2000;

/**
 * The journal outlives a run that was stopped, or that broke; not one that is done. One that was begun anew goes also
 * where the run can never be; one that was found holds an earlier run's work, and only success removes it.
 */
async function guarded(
  saved: Checkpoint,
  tell: (line: string) => void,
  work: () => Promise<number>,
): Promise<number> {
  const startedAt = performance.now();
  const isWorthIt = (): boolean => saved.found || performance.now() - startedAt > WORTH_KEEPING_MS;
  let code: number;
  try {
    code = await work();
  } catch (error) {
    const isStopped = error instanceof Interrupted;
    const isFinal =
      (error instanceof ConfigError && !(error instanceof RefusedOutput)) ||
      error instanceof PlanError ||
      error instanceof InvariantError;
    const isKept = saved.found || isStopped || (!isFinal && isWorthIt());
    await saved.close(isKept).catch((later: unknown) => {
      if (isStopped) throw later; // else the first error is the one to tell
    });
    if (!isKept || saved.shards() === 0) throw error;
    const kept = `${saved.shards()} finished shards are kept in ${saved.name}`;
    if (isStopped) throw new Interrupted(error.signal, kept);
    tell(
      error instanceof Disagreement
        ? `${kept}, but not all of them can be trusted: without that file the run starts anew`
        : `${kept}: --resume goes on from there`,
    );
    throw error;
  }
  // Points that failed may be tried again, on a machine with more memory.
  const isKept = code === EXIT.fault && saved.shards() > 0 && isWorthIt();
  await saved.close(isKept);
  if (isKept)
    tell(`${saved.shards()} finished shards are kept in ${saved.name}: --resume goes on from there`);
  return code;
}

interface Performance {
  readonly study: Study;
  readonly options: OptionValues;
  readonly inputs: readonly InputFile[];
  readonly shared: SharedSettings;
  readonly replay: string;
  readonly writing: Writing;
  readonly executor: Executor;
  readonly plugins: readonly PluginFile[];
  /** Only a share of the tasks is done: there is no report to show. */
  readonly part?: ShardRun;
}

async function conduct(
  experiment: Experiment,
  { study, options, inputs, shared, replay, writing, executor, plugins, part }: Performance,
  streams: Streams,
): Promise<number> {
  const { stdout, stderr } = streams;
  const style = styleFor(stdout, streams, shared.color);
  let said = 0;
  const say = (line: string): void => {
    said++;
    if (!shared.json && !part) stdout.write(`${style.bold(inALine(line))}\n`);
  };
  const { places, outputs, warn, workspace, tables } = writing;
  const { signal } = streams;
  const context: ExperimentContext = {
    study,
    options: part ? withoutFiles(experiment, options) : options,
    inputs,
    workspace,
    tables,
    trials: runner(executor, progressOn(stderr, shared.quiet), {
      verify: shared.verify,
      plain: shared.plain,
      force: shared.force,
      signal,
      registry: study.registry,
      share: shared.share,
    }),
    say,
    tell: shared.quiet || part ? () => {} : tellingOn(stderr),
  };
  const report: Report = await watching(plugins, () => experiment.run(context));
  if (signal?.aborted === true) {
    if (!shared.json && !part) stdout.write(partial(report, style));
    signal.throwIfAborted();
  }
  if (part) {
    await part.finish(streams, shared.json);
    await stdout.taken?.();
    return EXIT.done;
  }
  for (const line of report.answer.slice(said)) say(line);
  const conducted = { ...study, trials: report.trials ?? study.trials };
  const written = await writeFiles(report, places, outputs, warn);
  await outputs.settle();
  if (shared.json)
    for (const piece of document(experiment, conducted, report)) {
      stdout.write(piece);
      await stdout.taken?.();
    }
  else {
    const notes = [...(study.trace?.notes ?? []).map((note) => `trace: ${note}`), ...report.notes];
    stdout.write(body({ ...report, notes }, header(conducted, experiment), written, replay, style));
  }
  await stdout.taken?.();
  await tellGitHub(report, replay, streams, warn);
  if (report.show) {
    const { show } = await import("./output/show.js");
    await show(report.show, resolve(places.cwd, places.data), streams, shared.json || shared.quiet);
  }
  const { failed = [] } = report;
  if (failed.length > 0)
    return tellFault(new ConfigError(failed.map((message) => ({ key: "", message }))), stderr, replay);
  return report.passed ? (report.undecided ? EXIT.undecided : EXIT.done) : EXIT.failed;
}
