/** Help: every command's flags, examples and exit codes; and every command line that help or a report suggests works. */
import { describe, expect } from "vitest";
import { EXIT } from "../../../src/cli/faults.js";
import { MACHINE_FLAGS, MODEL_FLAGS, MODEL_SWITCHES } from "../../../src/flags/flags.js";
import { optionValues } from "../../../src/flags/options.js";
import { makeProgram } from "../../../src/cli/program.js";
import { TRAFFIC_FLAGS } from "../../../src/cli/settings/traffic.js";
import { VLLM_FLAGS } from "../../../src/cli/settings/vllm-server.js";
import { version } from "../../../src/cli/version.js";
import type { Issue } from "../../../src/core/errors.js";
import { EXPERIMENTS as LISTED } from "../../../src/experiments/index.js";
import { contextOf, ones, studyOf } from "../../experiments/studies.js";
import { listing, llmsim, test } from "../session.js";

const EXPERIMENTS = await Promise.all(LISTED.map((listed) => listed.load()));
const SHARED = [
  "--seed <n>",
  "--workers <n>",
  "--executor <name>",
  "--redis <url>",
  "--out-data <dir>",
  "--out-figs <dir>",
  "--json",
  "--quiet",
  "--overwrite",
  "--resume",
  "--shard <i/n>",
  "--no-color",
  "--config <file>",
  "--set <key=value>",
];
const ALL_OF_MACHINE = [
  ...MODEL_SWITCHES.flatMap(({ on, off }) => [on, off]),
  "--hardware <name|file>",
  "--profile-only",
  "--scheduler <list>",
  "--plugin <file>",
  "--no-chunking",
];
const MACHINE = [...ALL_OF_MACHINE, ...MACHINE_FLAGS.map(({ flag }) => flag)];
const MODEL = [
  ...ALL_OF_MACHINE,
  ...MODEL_FLAGS.map(({ flag }) => flag),
  ...TRAFFIC_FLAGS.map(([flag]) => flag),
  ...VLLM_FLAGS.map(([flag]) => flag),
  "--scenario <name|file>",
  "--slo <list>",
  "--verify",
  "--force",
];
const EXIT_CODES =
  /Exit codes: 0 done, 1 a check failed, 2 bad input .*,\n3 a bug of llmsim, 4 undecided, 130 or 143 interrupted/;

/** The flag and summary columns of a help text: flags that it lists. */
const flagsIn = (text: string): string[] =>
  [...text.matchAll(/^ {2}(--[\w-]+(?: <[^>]+>)?)/gm)].map((found) => found[1]!);

describe.each(EXPERIMENTS.map((experiment) => [experiment.name, experiment] as const))(
  "%s --help",
  (name, experiment) => {
    test("lists its flags, each once, with what they do", async ({ folder: cwd }) => {
      const { code, stdout, stderr } = await llmsim(`${name} --help`, { cwd });
      expect([code, stderr]).toEqual([0, ""]);
      const { variant } = experiment;
      const options = [...experiment.options, ...(variant?.options ?? [])];
      const machine = variant?.takesModel === "machine" ? MACHINE : [];
      const model = experiment.takesModel === true ? MODEL : machine;
      const expected = [...options.map(({ flag }) => flag), ...SHARED, ...model];
      expect(
        flagsIn(stdout)
          .filter((flag) => flag !== "--help")
          .sort(),
      ).toEqual([...expected].sort());
      for (const line of stdout.split("\n")) {
        expect(line.length, line).toBeLessThanOrEqual(80);
        if (/^ {2}--/.test(line)) expect(line).toMatch(/^ {2}--\S+( <\S+>)? {2,}\S/);
      }
      for (const option of options)
        if (option.default !== undefined)
          expect(stdout.replace(/\s+/g, " ")).toContain(`(default: ${option.default})`);
    });

    test("shows the question, examples, files and exit codes", async ({ folder: cwd }) => {
      const { stdout } = await llmsim(`help ${name}`, { cwd });
      expect(stdout).toContain(experiment.question);
      expect(experiment.examples.length).toBeGreaterThan(0);
      for (const example of experiment.examples) expect(stdout).toContain(`\n  llmsim ${example}\n`);
      for (const file of experiment.writes) expect(stdout).toContain(`\n  ${file}\n`);
      expect(stdout).toMatch(EXIT_CODES);
      expect(listing(cwd)).toEqual([]);
    });
  },
);

describe("llmsim", () => {
  test("alone, with --help and with help: the commands, where to start, the exit codes", async ({
    folder: cwd,
  }) => {
    const texts = await Promise.all(["", "--help", "help", "-h"].map((argv) => llmsim(argv, { cwd })));
    for (const { code, stdout, stderr } of texts) {
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toBe(texts[0]!.stdout);
    }
    const { stdout } = texts[0]!;
    for (const { name, summary } of LISTED) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
      expect(stdout).toContain(summary);
    }
    expect(stdout).toContain("Start with: llmsim demo");
    expect(stdout).toMatch(EXIT_CODES);
  });

  test("--version prints the package's, and nothing else", async ({ folder: cwd }) => {
    expect(await llmsim("--version", { cwd })).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("every exit code is in the text", () => {
    for (const code of Object.values(EXIT)) expect(code).toBeTypeOf("number");
    expect(Object.values(EXIT)).toEqual([0, 1, 2, 3, 4, 130, 143]);
  });
});

describe("command lines that are suggested", () => {
  /** Whether commander takes it: the command and its flags exist and have their values. */
  async function accepts(line: string): Promise<boolean> {
    const silent = { write: () => {} };
    let ran = false;
    const program = makeProgram(LISTED, "0", { stdout: silent, stderr: silent }, async () => {
      ran = true;
    });
    await program.parseAsync(line.split(" "), { from: "user" }).catch(() => undefined);
    return ran;
  }

  test("as examples in help", async () => {
    for (const { name, examples } of EXPERIMENTS)
      for (const example of examples) {
        expect(example.split(" ")[0]).toBe(name);
        expect(await accepts(example), example).toBe(true);
      }
    expect(await accepts("rnu --lam 3")).toBe(false);
    expect(await accepts("run --lamm 3")).toBe(false);
  });

  /** These need more than an engine that answers 1, or long. */
  const DEMANDING = ["stability", "plot", "reproduce", "validate", "calibrate", "report"];
  const FEW: Readonly<Record<string, string>> = { windows: "2", npoints: "2", ratios: "0.5,0.7" };
  const easy = EXPERIMENTS.filter(({ name }) => !DEMANDING.includes(name));

  test.for(easy.map((experiment) => [experiment.name, experiment] as const))(
    "as what to try after %s",
    async ([, experiment]) => {
      const issues: Issue[] = [];
      const flags = Object.fromEntries(experiment.options.map(({ key }) => [key, FEW[key]]));
      const options = optionValues(experiment, flags, issues);
      expect(issues).toEqual([]);
      const { next } = await experiment.run(contextOf(studyOf("demo2"), ones, options));
      expect(next.length).toBeGreaterThan(0);
      for (const line of next) {
        expect(line).toMatch(/^llmsim /);
        expect(await accepts(line.replace("llmsim ", "")), line).toBe(true);
      }
    },
  );
});
