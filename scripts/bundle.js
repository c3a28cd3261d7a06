/**
 * Bundles the compiled modules into dist/bundle/: a command loads a handful of files instead of hundreds, and each
 * thread two. One module instead of many is also what the compiler sees through best (README, Decisions). What each
 * command loads only when it needs it stays a file of its own; packages stay packages.
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const at = (path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

rmSync(at("bundle"), { recursive: true, force: true });
const bundle = await rolldown({
  input: {
    index: at("index.js"),
    main: at("cli/main.js"),
    worker: at("run/worker.js"),
    "png-worker": at("io/png-worker.js"),
  },
  platform: "node",
  external: (name) => !/^[./]/.test(name),
  logLevel: "warn",
  onLog(level, log) {
    throw new Error(`the bundle cannot be built: ${level}: ${log.message}`);
  },
});
// Folders of the same depth as those of the modules: what they look up beside them (data/, package.json) is found.
await bundle.write({
  dir: at("bundle"),
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
});
await bundle.close();
