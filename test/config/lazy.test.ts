/** zod (120 ms) and yaml (70 ms) load only when a file is read: `--help` and workers never pay for them. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = (name: string): URL => new URL(`../../src/${name}/`, import.meta.url);
const files = ["config", "io"].flatMap((name) =>
  readdirSync(folder(name), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => new URL(file, folder(name))),
);

/** What a file imports when it is loaded: not types, and not what it imports later. */
const eager = (file: URL): string[] =>
  [...readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )[^;]*?from "([^"]+)"/gm)].map(
    (match) => match[1]!,
  );

test.each(files.map((file) => [file.pathname.split("/src/")[1]!, file]))("%s", (name, file) => {
  if (name === "config/publish-schemas.ts") expect(eager(file)).toContain("zod");
  else for (const heavy of ["zod", "yaml", "./publish-schemas.js"]) expect(eager(file)).not.toContain(heavy);
});
