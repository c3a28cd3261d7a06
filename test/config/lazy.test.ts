/**
 * What is loaded when, and what is not: loading takes longer than most that is done afterwards. zod (120 ms) and
 * yaml (70 ms) load only when a file is read; `--help` and `--version` load the list of commands and no simulator.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const SRC = new URL("../../src/", import.meta.url);
const files = ["config", "io"].flatMap((name) =>
  readdirSync(new URL(`${name}/`, SRC), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => new URL(`${name}/${file}`, SRC)),
);
const nameOf = (file: URL): string => file.href.slice(SRC.href.length);

/** What a file imports when it is loaded: not types, and not what it imports later. */
const eager = (file: URL): string[] =>
  [...readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )[^;]*?from "([^"]+)"/gm)].map(
    (match) => match[1]!,
  );

/** Files under src and packages that a file loads, itself included; sorted. */
function loadedWith(name: string): string[] {
  const found = new Set<string>();
  const visit = (file: URL): void => {
    if (found.has(nameOf(file))) return;
    found.add(nameOf(file));
    for (const specifier of eager(file))
      if (specifier.startsWith(".")) visit(new URL(specifier.replace(/\.js$/, ".ts"), file));
      else if (!specifier.startsWith("node:")) found.add(specifier);
  };
  visit(new URL(name, SRC));
  return [...found].sort();
}

test.each(files.map((file) => [nameOf(file), file]))("%s", (name, file) => {
  if (name === "config/publish-schemas.ts") expect(eager(file)).toContain("zod");
  else for (const heavy of ["zod", "yaml", "./publish-schemas.js"]) expect(eager(file)).not.toContain(heavy);
});

test("the way in: commander, the list of commands and how to tell what is wrong, nothing else", () => {
  expect(loadedWith("cli/main.ts")).toEqual([
    "cli/faults.ts",
    "cli/files/lock.ts",
    "cli/main.ts",
    "cli/process/careful.ts",
    "cli/process/process-output.ts",
    "cli/process/process-start.ts",
    "cli/process/stoppable.ts",
    "cli/program.ts",
    "cli/version.ts",
    "commander",
    "core/errors.ts",
    "core/foreign-words.ts",
    "experiments/index.ts",
    "flags/shell.ts",
    "io/appending.ts",
    "io/file-error.ts",
    "io/files.ts",
    "io/folders.ts",
    "io/open-files.ts",
    "io/pieces.ts",
    "io/place.ts",
    "io/replacing.ts",
    "run/interrupted.ts",
  ]);
});

test("a worker: the core, its generator and the pool, nothing else", () => {
  const packages = ["piscina", "seedrandom/lib/alea.js"];
  for (const loaded of loadedWith("run/worker.ts"))
    if (!packages.includes(loaded))
      expect(loaded).toMatch(/^(core\/|run\/(worker|executor|interrupted|task-memory)\.ts$)/);
});
