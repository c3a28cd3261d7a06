/** The file of a thread that draws: a spec in, its PNG and what Vega warned of out. */
import type { TopLevelSpec } from "vega-lite";
import { renderPng } from "./png.js";

export interface Drawing {
  readonly png: Uint8Array;
  readonly warnings: readonly string[];
}

export default async (spec: TopLevelSpec): Promise<Drawing> => {
  const warnings: string[] = [];
  const png = await renderPng(spec, { onWarning: (message) => void warnings.push(message) });
  return { png, warnings };
};
