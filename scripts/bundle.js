/**
 * Bundles the compiled modules into dist/bundle/: a command loads a handful of files instead of hundreds, and each
 * thread two. One module instead of many is also what the compiler sees through best (docs/design.md, Decisions). What each
 * command loads only when it needs it stays a file of its own; packages stay packages.
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { parseAst } from "rolldown/parseAst";

const at = (path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

/**
 * A declared function is a variable that somebody might assign: the compiler looks at every call, and wherever it has
 * put the function's code into its caller, whether it is still the same one. Of a constant it knows. As declarations
 * are, these are there before anything else of their file runs.
 */
const constantFunctions = {
  name: "constant-functions",
  renderChunk(code) {
    const functions = [];
    let others = "";
    let end = 0;
    for (const node of parseAst(code).body) {
      if (node.type !== "FunctionDeclaration") continue;
      functions.push(`const ${node.id.name} = ${code.slice(node.start, node.end)};`);
      others += code.slice(end, node.start);
      end = node.end;
    }
    return [...functions, others + code.slice(end)].join("\n");
  },
};

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
  plugins: [constantFunctions],
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
  // The core in one file: what a module imports from another file the compiler looks up at every use. But for its
  // errors, which `llmsim --help` needs, too.
  codeSplitting: {
    groups: [
      { name: "errors", test: /[\\/]dist[\\/]core[\\/]errors/, priority: 1 },
      { name: "core", test: /[\\/]dist[\\/]core[\\/]/ },
    ],
  },
});
await bundle.close();
