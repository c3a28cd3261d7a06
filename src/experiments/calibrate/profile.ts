/** What was given to `calibrate`, sorted out: step-time CSVs, or the files of one kernel profile. */
import { ConfigError, type Issue } from "../../core/errors.js";
import type { InputFile } from "../interface/experiment.js";
import { baseName, KERNEL_FILES, type Kernels, OPERATING_RANGE, readKernels, stepsOf } from "./kernels.js";
import { type Range, readSteps, STEP_COLUMNS, type Step } from "./steps.js";

export interface Profile {
  readonly steps: readonly Step[];
  /** What is fitted unless the user says otherwise. */
  readonly range: Range;
  /** Of a kernel profile. */
  readonly kernels?: Kernels;
  /** What a meta.yaml says of the profile. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** A name made from the files' own. */
  readonly name: string;
}

const FILES = Object.keys(KERNEL_FILES);
/** What is read of a folder. */
export const OF_FOLDER = [...FILES, "moe.csv", "meta.yaml"];

/**
 * @param layers transformer layers, for kernel profiles
 * @throws ConfigError when it is neither kind, or a row is wrong
 */
export function readProfile(inputs: readonly InputFile[], layers: number | null): Profile {
  const tables = inputs.filter(({ values }) => values === undefined);
  const metas = inputs.map(({ values }) => values).filter((v) => typeof v === "object" && v !== null);
  const meta = (metas[0] ?? {}) as Readonly<Record<string, unknown>>;
  const name = nameFrom(inputs[0]?.file ?? "");
  const isKernels = tables.some(({ file }) => FILES.includes(baseName(file)) || baseName(file) === "moe.csv");
  requireColumns(tables, isKernels);
  if (!isKernels) return { steps: tables.flatMap(readSteps), range: {}, meta, name };
  if (layers === null)
    throw new ConfigError([
      {
        key: "--layers",
        message:
          "missing --layers (transformer layers of the model, which kernels do not tell: 32 for Llama-3.1-8B)",
      },
    ]);
  const kernels = readKernels(tables, layers);
  return { steps: stepsOf(kernels), range: OPERATING_RANGE, kernels, meta, name };
}

function requireColumns(tables: readonly InputFile[], isKernels: boolean): void {
  const issues: Issue[] = [];
  const names = tables.map(({ file }) => baseName(file));
  if (isKernels) {
    if (names.includes("moe.csv"))
      issues.push({ key: "moe.csv", message: "moe.csv: experts are not supported (dense models only)" });
    for (const name of FILES) {
      const found = names.filter((other) => other === name).length;
      if (found !== 1)
        issues.push({
          key: name,
          message: `${found === 0 ? "missing" : "too many"}: ${name} (a kernel profile has one each of ${FILES.join(", ")})`,
        });
    }
  } else if (tables.length === 0) issues.push({ key: "file", message: "no CSV (a step-time CSV)" });
  for (const { file, columns } of tables) {
    const required = isKernels ? (KERNEL_FILES[baseName(file)] ?? []) : STEP_COLUMNS;
    if (isKernels && !FILES.includes(baseName(file)) && baseName(file) !== "moe.csv")
      issues.push({ key: file, message: `${file}: not a kernel file (one of: ${FILES.join(", ")})` });
    for (const column of required)
      if (!columns.includes(column))
        issues.push({
          key: file,
          message: `${file}:1: missing column: ${column} (${isKernels ? "a kernel file" : "a step-time CSV"} has: ${required.join(", ")})`,
        });
  }
  if (issues.length > 0) throw new ConfigError(issues);
}

/** `h100_llama` from `profiles/h100_llama.csv` or `profiles/h100_llama/dense.csv`. */
export function nameFrom(file: string): string {
  const parts = file.split(/[/\\]/).filter((part) => part !== "" && part !== "." && part !== "..");
  const last = parts.at(-1) ?? "";
  const named = OF_FOLDER.includes(last) ? parts.at(-2) : last.replace(/\.csv$/i, "");
  return (named ?? "").replace(/[^\w.-]+/g, "_").replace(/^[^a-z0-9]+/i, "") || "hardware";
}
