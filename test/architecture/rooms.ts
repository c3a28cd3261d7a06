/**
 * The rooms of the house, by floor: a file imports its own room and those on lower floors. One picture for all of src,
 * and one for each of its three large folders.
 */

/** Rooms of one floor do not know each other; `.` are the files that stand in the folder itself. */
export type Floors = readonly (readonly string[])[];

/** What holds up everything: the files of core that stats, theory and charts may use. */
export const FOUNDATION = ["core/numbers/units.ts", "core/numbers/arithmetic.ts", "core/errors.ts"];

/** Rooms of core that nobody outside it looks into, but for these files: plain records of a run, and what it came to. */
export const CLOSED = ["core/engine", "core/state"];
export const FACES = ["core/engine/observer.ts", "core/engine/outcome.ts"];

/** What each folder of src may import besides itself: folders, or single files of one. */
export const BELOW: Readonly<Record<string, readonly string[]>> = {
  core: [],
  stats: FOUNDATION,
  theory: FOUNDATION,
  charts: FOUNDATION,
  experiments: ["charts", "stats", "theory", "core"],
  config: ["core"],
  // A scenario file is a configuration file: io reads it, config says what it means. Charts draw, io makes files of it.
  io: ["core", "config", "charts"],
  // The port that run implements.
  run: ["core", "experiments/interface/trials.ts"],
  // What a flag is and means: the command line and the page stand on it.
  flags: ["experiments", "config", "core"],
  page: ["flags", "charts", "stats", "theory", "core", "experiments", "config"],
  cli: ["flags", "experiments", "config", "run", "io", "charts", "stats", "theory", "core"],
  index: ["core", "stats", "theory"],
};

/** Lowest floor first. */
export const FLOORS: Readonly<Record<string, Floors>> = {
  core: [
    ["."],
    ["numbers", "options"],
    ["queues", "service-times"],
    ["workload"],
    ["policies"],
    // What is to be simulated; what there is at an instant.
    ["configuration", "state"],
    ["engine"],
    ["measures"],
    ["trial"],
  ],
  experiments: [
    ["interface"],
    // How a number is said, and what stands in a row.
    ["cells"],
    // How much there is to do, and who keeps up with it.
    ["load"],
    ["tables", "figures"],
    ["sweep", "stability", "calibrate", "measured", "compare"],
    ["run", "plan"],
    ["validate", "explore"],
    ["demo", "reproduce"],
    ["report"],
    ["."],
  ],
  // Of the files in cli itself two are at the bottom (CLI_GROUND), the others on top.
  cli: [["ground"], ["process"], ["output", "settings"], ["files"], ["resume"], ["."]],
};

/** Files of cli that its rooms may import: streams in and out, the version, what is said of a fault. */
export const CLI_GROUND = ["cli/streams.ts", "cli/version.ts"];
