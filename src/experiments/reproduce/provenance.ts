/** Where a table of a manifest comes from. */
import type { Workspace } from "../interface/experiment.js";
import type { Manifest } from "../interface/manifest.js";

/** Seed and conventions of a table, if the manifest lists it and its bytes are still those. */
export async function provenanceOf(
  workspace: Workspace,
  manifest: Manifest | undefined,
  file: string,
): Promise<string | undefined> {
  const step = Object.values(manifest?.steps ?? {}).find(({ csv }) => file in csv);
  if (!manifest || !step?.study) return undefined;
  const text = await workspace.readText(file);
  if (text === undefined || workspace.hashText(text) !== step.csv[file]) return undefined;
  const { firstToken, mixedBatch, sequenceCap, tbt } = step.study.config.conventions;
  return `seed ${manifest.seed}; firstToken ${firstToken}, mixedBatch ${mixedBatch}, sequenceCap ${sequenceCap}, tbt ${tbt}`;
}
