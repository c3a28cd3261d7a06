import { defineConfig } from "vitest/config";

// Two forks: the suite is meant for two cores, and each test file that starts a pool brings its own.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    maxWorkers: 2,
    coverage: {
      provider: "v8",
      include: ["src/core/**", "src/stats/**", "src/theory/**"],
    },
  },
});
