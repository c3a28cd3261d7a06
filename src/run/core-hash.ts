/** The hash of the simulator's code: values of one build are not taken for those of another. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

let known: string | undefined;

/** SHA-256 over the files of core beside this one, hexadecimal; computed once. */
export function coreHash(): string {
  if (known !== undefined) return known;
  const folder = new URL("../core/", import.meta.url);
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.(js|ts)$/.test(name) && !name.endsWith(".d.ts"))
    .map((name) => name.replaceAll("\\", "/"))
    .sort();
  for (const name of files) hash.update(name).update(readFileSync(new URL(name, folder)));
  return (known = hash.digest("hex"));
}
