import { defineConfig } from "vitest/config";

/** Files that replace a module: each needs modules of its own. */
const MOCKING = ["test/io/files.test.ts", "test/cli/main.test.ts"];

// Two forks: the suite is meant for two cores, and each test file that starts a pool brings its own. The other files
// of a fork share what they import, which nothing of ours keeps state in: reading it anew cost a sixth of the suite.
export default defineConfig({
  test: {
    testTimeout: 60_000,
    maxWorkers: 2,
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
