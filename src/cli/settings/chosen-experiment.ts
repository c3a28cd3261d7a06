/** Which of a command's two experiments is meant: the one that it is, or its variant, by the option that asks for it. */
import type { Issue } from "../../core/errors.js";
import type { Experiment } from "../../experiments/interface/experiment.js";
import { camelCase, flagName } from "../../flags/options.js";
import type { Flags } from "../../flags/given-flags.js";

/** The experiment that the flags ask for; options of the other one are added to `issues`. */
export function chosenBy(flags: Flags, experiment: Experiment, issues: Issue[]): Experiment {
  const { variant } = experiment;
  if (!variant) return experiment;
  const given = ({ options }: Experiment): string[] =>
    options.map(({ flag }) => flagName(flag)).filter((name) => flags[camelCase(name)] !== undefined);
  const asking = flagName(variant.options[0].flag);
  const isVariant = flags[camelCase(asking)] !== undefined;
  for (const name of given(isVariant ? experiment : variant))
    issues.push({
      key: name,
      message: isVariant
        ? `${name} contradicts ${asking} (give one of them)`
        : `${name} needs ${asking} (see --help)`,
    });
  return isVariant ? variant : experiment;
}
