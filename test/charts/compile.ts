/** Compiles a spec as io/png.ts does and hands back what Vega-Lite warned about. */
import { compile, type TopLevelSpec } from "vega-lite";

export function warningsOf(spec: TopLevelSpec): string[] {
  const warnings: string[] = [];
  const keep = (...parts: readonly unknown[]) => {
    warnings.push(parts.join(" "));
    return logger;
  };
  const drop = () => logger;
  const logger = { level: drop as never, error: keep, warn: keep, info: drop, debug: drop };
  compile(spec, { logger });
  return warnings;
}

/** Every object in a spec that has `key`, wherever it stands. */
export function holders(node: unknown, key: string): Record<string, unknown>[] {
  if (typeof node !== "object" || node === null) return [];
  const below = Object.values(node).flatMap((child) => holders(child, key));
  return key in node ? [node as Record<string, unknown>, ...below] : below;
}

/** The data rows of every panel, the legend strip and single marks left out. */
export function tablesOf(spec: TopLevelSpec): Record<string, unknown>[][] {
  return holders(spec, "values")
    .map((data) => data.values)
    .filter((values): values is Record<string, unknown>[] => Array.isArray(values))
    .filter((values) => values.length > 0 && Object.keys(values[0] as object).length > 0);
}
