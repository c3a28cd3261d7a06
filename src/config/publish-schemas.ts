/**
 * Part of the build, not of the program: writes the JSON Schemas that editors complete from, to
 * dist/schemas/. Run it as `node dist/config/publish-schemas.js [folder]`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { builtIn, type Registry } from "../core/configuration/registry.js";
import { runOutputSchema } from "./run-output-schema.js";
import { hardwareSchema, scenarioSchema, studySchema } from "./schema.js";

/** The published schemas by file name, as text. */
export function jsonSchemas(registry: Registry = builtIn): ReadonlyMap<string, string> {
  const published: [string, string, z.ZodType][] = [
    ["study", "llmsim study", studySchema(z, registry)],
    ["scenario", "llmsim scenario", scenarioSchema(z, registry)],
    ["hardware", "llmsim hardware", hardwareSchema(z, registry)],
    ["run-output", "llmsim run --json", runOutputSchema(z)],
  ];
  return new Map(
    published.map(([name, title, schema]) => {
      const { $schema, ...rest } = z.toJSONSchema(schema);
      return [`${name}.schema.json`, `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`];
    }),
  );
}

/** Writes them into `folder`, which is made when missing. */
export function publishSchemas(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of jsonSchemas()) writeFileSync(join(folder, name), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  publishSchemas(process.argv[2] ?? fileURLToPath(new URL("../schemas/", import.meta.url)));
