/** What is simulated, as an experiment is given it: a study, where it comes from, and what leads to it again. */
import type { Condition } from "../../core/measures/condition.js";
import type { Conventions, SimulationConfig } from "../../core/configuration/config.js";
import type { OptionValue, Spec } from "../../core/options/definition.js";
import { builtIn, member, type Registry } from "../../core/configuration/registry.js";
import type { ArrivalDefinition } from "../../core/workload/arrival-process.js";

/** A user's plugin that a study uses. */
export interface PluginUse {
  /** The file as the user named it. */
  readonly file: string;
  readonly sha256: string;
  /** Names of its schedulers. */
  readonly schedulers: readonly string[];
}

/** A recorded trace that a study uses, and what became of its file. */
export interface TraceUse {
  /** The file as the user named it. */
  readonly file: string;
  /** Name of its format. */
  readonly format: string;
  /** Names the data and what was done to it. */
  readonly key: string;
  /** Replayed with its instants, or lengths alone. */
  readonly use: "replay" | "lengths";
  /** Unit of its instants; undefined of times of day, and of lengths alone. */
  readonly unit?: string;
  readonly requests: number;
  /** From the first arrival to the last as recorded; NaN for lengths alone. */
  readonly seconds: number;
  /** Failed requests that were left out. */
  readonly leftOut: number;
  /** Prompts that were cut. */
  readonly clipped: number;
  /** What its reader must know. */
  readonly notes: readonly string[];
}

/** A vLLM server whose settings a study has taken over. */
export interface ServerUse {
  /** The log, as the user named it. */
  readonly log?: string;
  /** Its command line was given, which may hold a key and is not kept. */
  readonly args?: true;
  /** vLLM's version, as the log prints it. */
  readonly version?: string;
  /** What was said, by the study's keys. */
  readonly told: Readonly<Record<string, OptionValue | null | undefined>>;
  /** What a server has that was not said, and where the value in force comes from. */
  readonly untold: readonly {
    readonly key: string;
    readonly value: OptionValue | null | undefined;
    readonly from: string;
  }[];
  /** GPUs of a replica, if several, where no hardware says how many it has. */
  readonly gpus?: number;
  /** What was said and has no meaning here, by vLLM's names. */
  readonly ignored: readonly string[];
}

/** What is simulated: everything but the scheduler, and the schedulers to compare. */
export interface Study {
  /** The scenario's name as the user gave it. */
  readonly scenario: string;
  /** The hardware's name or file as the user gave it, where service times are those of a hardware file. */
  readonly hardware?: string;
  /** The least and the most that its file says it was fitted to. */
  readonly validity?: Readonly<Record<string, readonly [number, number] | undefined>>;
  /** The flag that chose it, for commands to try next: `--scenario demo2`, `--config my.yaml`. */
  readonly chosenBy?: string;
  /** The model's flags as they were given, by name without dashes, and the assignments of `--set`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly assignments?: readonly string[];
  readonly config: Omit<SimulationConfig, "scheduler">;
  readonly schedulers: readonly Spec[];
  readonly trials: number;
  readonly seed: number;
  /** Where its kinds are looked up; the built-in registry unless it brings a trace or a plugin. */
  readonly registry?: Registry;
  readonly trace?: TraceUse;
  readonly vllm?: ServerUse;
  /** Dotted keys whose values are assumed, because the hardware does not say its server's. */
  readonly assumed?: readonly string[];
  readonly plugins?: readonly PluginUse[];
  /** What an SLO asks of a whole run; what it asks of each request stands in the configuration. */
  readonly targets?: readonly Condition[];
  /** The study with other settings, where a command runs several of them (`sweep --vary`, `compare --with`). */
  readonly variants?: readonly Variant[];
  /** The same study on further scenarios, where the command was given several at once (`--scenario both`). */
  readonly others?: readonly Study[];
}

/** A study with some settings changed. */
export interface Variant {
  /** What was changed, as the user wrote it; for the study as it was given, `as given`. */
  readonly label: string;
  /** The values of the keys that vary, under the keys' names; null is none. */
  readonly settings: Readonly<Record<string, string | number | null>>;
  readonly study: Study;
}

/** The settings of a study that another experiment runs. */
export interface StudySettings {
  readonly scenario?: string;
  readonly schedulers?: readonly string[];
  readonly trials?: number;
  readonly seed?: number;
  readonly horizon?: { readonly tmaxSeconds?: number };
  readonly conventions?: "standard" | "reference" | Conventions;
  /** Chunk size; null: no chunking; the scenario's own unless given. */
  readonly chunkSize?: number | null;
}

/** A scenario of the package. */
export interface NamedScenario {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  /** What it sets, as a layer of a study. */
  readonly values: object;
}

/** The settings an experiment starts from, before scenario, file and flags. */
export interface StudyDefaults {
  readonly scenario?: string;
  readonly schedulers?: readonly string[];
  readonly trials?: number;
  readonly horizon?: { readonly tmaxSeconds?: number };
  readonly conventions?: "standard" | "reference";
  readonly arrivalRate?: number;
}

/** The flag that leads to the study's scenario again. */
export const again = (study: Study): string => study.chosenBy ?? `--scenario ${study.scenario}`;

interface OfArrivals {
  readonly config: Pick<SimulationConfig, "workload">;
  readonly registry?: Registry | undefined;
}

const arrivalsOf = ({ config, registry = builtIn }: OfArrivals): ArrivalDefinition =>
  member(registry.arrivals, config.workload.arrivals.kind);

/** Whether the arrivals are a recorded trace's: their rate is what it is. */
export const isReplay = (study: OfArrivals): boolean => arrivalsOf(study).replays === true;

/** Whether the arrivals are a closed loop's: their rate is what the engine makes of it. */
export const isClosed = (study: OfArrivals): boolean => arrivalsOf(study).closed === true;

/** The command that finds how much load a study bears, where there is a λ to vary. */
export const tryStability = (study: Study): string[] =>
  isReplay(study) || isClosed(study) ? [] : [`llmsim stability ${again(study)}`];

/** A study's configuration with one of its schedulers. */
export const withScheduler = (study: Study, scheduler: Spec): SimulationConfig => ({
  ...study.config,
  scheduler,
});
