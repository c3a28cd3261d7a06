/**
 * The manifest of a reproduction as it stands in the data folder. It may come from others, and everything that reads
 * it relies on its shape: that is judged first, before anything is run or drawn.
 */
import type { z } from "zod";
import { ConfigError, type Issue } from "../../core/errors.js";
import { Issues } from "../../core/issues.js";
import type { Manifest } from "../../experiments/interface/manifest.js";

/** What it must look like; made when one is read, as zod takes 120 ms to load. */
function manifestSchema(zod: typeof z): z.ZodType {
  const cell = zod.union([zod.string(), zod.number(), zod.boolean(), zod.null()]);
  const value = zod.union([cell, zod.array(zod.number())]);
  const spec = zod.object({ kind: zod.string() }).catchall(value);
  const config = zod.strictObject({
    workload: zod.strictObject({ arrivals: spec, promptTokens: spec, outputTokens: spec }),
    service: spec,
    engine: zod
      .object({
        maxTokens: zod.number(),
        maxSequences: zod.number(),
        chunkSize: zod.number().nullable(),
        discipline: spec.optional(),
        router: spec.optional(),
      })
      .catchall(value),
    conventions: zod.strictObject({
      firstToken: zod.enum(["prefill", "decode"]),
      mixedBatch: zod.enum(["sum", "max"]),
      sequenceCap: zod.enum(["resident", "iteration"]),
      tbt: zod.enum(["gaps", "tokens"]),
    }),
    horizon: zod.object({ tmaxSeconds: zod.number() }).catchall(value),
    slo: zod.record(zod.string(), value).optional(),
  });
  const step = zod.strictObject({
    key: zod.string(),
    study: zod
      .strictObject({
        scenario: zod.string(),
        config,
        schedulers: zod.array(spec),
        trials: zod.number(),
      })
      .optional(),
    csv: zod.record(zod.string(), zod.string()),
    rows: zod.array(zod.record(zod.string(), cell)).optional(),
  });
  return zod.strictObject({
    llmsim: zod.string(),
    seed: zod.int().min(0),
    steps: zod.record(zod.string(), step),
  });
}

/**
 * Reads the text of a manifest.
 * @param name what errors call it
 * @throws ConfigError when it is none
 */
export async function readManifestFile(text: string, name: string): Promise<Manifest> {
  const issueOf = (what: string): Issue => ({
    key: name,
    message: `invalid ${name}: ${what} (delete it to start anew)`,
  });
  let given: unknown;
  let isRefused = false;
  try {
    given = JSON.parse(text, (key, value: unknown) => {
      isRefused ||= key === "__proto__";
      return value;
    });
  } catch {
    throw new ConfigError([issueOf("not JSON")]);
  }
  if (isRefused) throw new ConfigError([issueOf("refused key: __proto__")]);
  const { z } = await import("zod");
  const found = manifestSchema(z).safeParse(given);
  if (found.success) return found.data as Manifest;
  const issues = new Issues(name);
  for (const { path, message } of found.error.issues)
    issues.add(() => {
      const where = path.length === 0 ? "" : `${path.map(String).join(".")}: `;
      return issueOf(`${where}${message.charAt(0).toLowerCase()}${message.slice(1)}`);
    });
  throw new ConfigError(issues.list());
}
