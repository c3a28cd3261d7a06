/** Where a table comes from, by the manifest: the command that makes it again, and whether its bytes are still those. */
import { REFERENCE, STANDARD, type Conventions } from "../../core/configuration/config.js";
import type { Spec } from "../../core/options/definition.js";
import { shellWord } from "../../core/foreign-words.js";
import type { Workspace } from "../interface/experiment.js";
import type { Finished, Manifest } from "../interface/manifest.js";
import { type Step, stepsOf } from "../reproduce/steps.js";
import type { TableOf } from "./page.js";

type Ran = NonNullable<Finished["study"]>;

const same = (a: Conventions, b: Conventions): boolean =>
  (Object.keys(a) as (keyof Conventions)[]).every((key) => a[key] === b[key]);

function conventionFlags({ config: { conventions } }: Ran): string[] {
  if (same(conventions, STANDARD)) return [];
  if (same(conventions, REFERENCE)) return ["--conventions reference"];
  return Object.entries(conventions).map(
    ([key, value]) => `--set ${shellWord(`conventions.${key}=${value}`)}`,
  );
}

/** The name of the step that made a table. */
const stepOf = (manifest: Manifest | undefined, file: string): string | undefined =>
  Object.entries(manifest?.steps ?? {}).find(([, { csv }]) => file in csv)?.[0];

/** The options of a step that are not the command's own defaults, as flags. */
function optionFlags({ experiment, options }: Step): string[] {
  return experiment.options.flatMap(({ key, flag, default: usual }) => {
    const value = options[key];
    if (value === undefined || value === null || value === false || value === usual) return [];
    const text = Array.isArray(value) ? value.join(",") : `${value as string | number | boolean}`;
    return text === usual ? [] : [value === true ? flag : `${flag.split(" ")[0]} ${shellWord(text)}`];
  });
}

/** The command that makes a table again, by the step that made it; undefined without one. */
export function commandFor(manifest: Manifest | undefined, file: string): string | undefined {
  const name = stepOf(manifest, file);
  if (!manifest || name === undefined) return undefined;
  const step = stepsOf(false).find((one) => one.name === name);
  const ran = manifest.steps[name].study;
  // A table made of several steps has no command of its own.
  if (!step || !ran) return `llmsim reproduce --seed ${manifest.seed}`;
  const { scenario, trials, schedulers, config } = ran;
  return [
    `llmsim ${step.experiment.name}`,
    ...(step.experiment.takesModel
      ? [
          `--scenario ${shellWord(scenario)} --scheduler ${shellWord(schedulers.map(({ kind }) => kind).join(","))}`,
          `--ntrials ${trials} --tmax ${config.horizon.tmaxSeconds}`,
          ...conventionFlags(ran),
        ]
      : []),
    ...optionFlags(step),
    `--seed ${manifest.seed}`,
  ].join(" ");
}

/** `data.csv: as listed in the manifest`, or that it is not. */
export async function sourceLine(
  workspace: Workspace,
  manifest: Manifest | undefined,
  file: string,
): Promise<string> {
  const name = stepOf(manifest, file);
  const listed = name === undefined ? undefined : manifest?.steps[name].csv[file];
  if (listed === undefined) return `${file}: not listed in a manifest`;
  const text = await workspace.readText(file);
  return text !== undefined && workspace.hashText(text) === listed
    ? `${file}: the bytes that the manifest lists`
    : `${file}: NOT the bytes that the manifest lists`;
}

const words = (spec: Spec): string =>
  [
    spec.kind,
    ...Object.entries(spec)
      .filter(([key]) => key !== "kind")
      .map(([key, value]) => `${key} ${Array.isArray(value) ? value.join("/") : value}`),
  ].join(" ");

/** What was simulated: a row a scenario of the manifest. */
export function setup(manifest: Manifest): TableOf {
  const seen = new Map<string, Ran>();
  for (const { study } of Object.values(manifest.steps))
    if (study && !seen.has(study.scenario)) seen.set(study.scenario, study);
  return {
    columns: ["scenario", "arrivals", "prompts", "outputs", "iteration time", "engine"],
    rows: [...seen].map(([name, { config }]) => [
      name,
      words(config.workload.arrivals),
      words(config.workload.promptTokens),
      words(config.workload.outputTokens),
      words(config.service),
      `${config.engine.maxTokens} tokens, ${config.engine.maxSequences} sequences, chunk ${config.engine.chunkSize ?? "off"}`,
    ]),
  };
}
