import { existsSync, statfsSync } from "node:fs";
import { defineConfig, type Plugin } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that replace a module: each needs modules of its own. */
const MOCKING = ["test/io/files.test.ts", "test/cli/main.test.ts"];

/** What takes longest comes first, the slowest ahead: one that came last would run beside an idle core. */
const SLOWEST = [
  "cli/resume/resume",
  "page/explore",
  "run/bullmq-faults",
  "run/bullmq-cli",
  "run/worker-faults",
  "cli/process/process",
  "cli/resume/shard",
  "experiments/validate/validate",
  "contract/schedulers",
  "experiments/load/offered",
  "run/same-bytes",
].map((name) => `/test/${name}.test.ts`);

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) => SLOWEST.some((end) => moduleId.endsWith(end));
    const slow = SLOWEST.flatMap((end) => sorted.filter(({ moduleId }) => moduleId.endsWith(end)));
    return [...slow, ...sorted.filter((file) => !isSlow(file))];
  }
}

/**
 * The folders of tests: in memory where there is room for them, as most of what they wait for is a disk that says that
 * it has written. The long mode's are larger.
 */
const MEMORY = "/dev/shm";
const GIBIBYTES_WANTED = 2;
function foldersInMemory(): Record<string, string> {
  if (process.env.TMPDIR !== undefined || process.env.LLMSIM_LONG === "1" || !existsSync(MEMORY)) return {};
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > GIBIBYTES_WANTED * 2 ** 30 ? { TMPDIR: MEMORY } : {};
}

/** Many seeds in one process (scripts/test-seeds.js): the tests' fast-check is one that asserts with each of them. */
const manySeeds: Plugin = {
  name: "many-seeds",
  enforce: "pre",
  resolveId: (name, from) =>
    name === "fast-check" && from?.endsWith(".test.ts")
      ? new URL("test/many-seeds.ts", import.meta.url).pathname
      : undefined,
};

// Two forks: the suite is meant for two cores, and each test file that starts a pool brings its own. The other files
// of a fork share what they import, which nothing of ours keeps state in: reading it anew cost a sixth of the suite.
export default defineConfig({
  plugins: process.env.LLMSIM_TEST_SEEDS === undefined ? [] : [manySeeds],
  test: {
    // What hangs is ended; what is slow because the machine has other work to do is not wrong.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 200_000, interval: 20 } },
    maxWorkers: 2,
    env: foldersInMemory(),
    sequence: { sequencer: SlowestFirst },
    globalSetup: "test/tell-seed.ts",
    setupFiles: "test/setup.ts",
    projects: [
      {
        extends: true,
        test: { name: "shared", include: ["test/**/*.test.ts"], exclude: MOCKING, isolate: false },
      },
      { extends: true, test: { name: "mocking", include: MOCKING } },
    ],
    coverage: {
      provider: "v8",
      include: ["src/core/**", "src/stats/**", "src/theory/**"],
    },
  },
});
