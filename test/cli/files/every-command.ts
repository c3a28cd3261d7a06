/** A small command line of every command, with what it reads: for the tests that go over all of them. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { GPU, hardwareFile, measuredRun } from "../../experiments/measured-runs.js";
import { contents, llmsim } from "../session.js";

const SMALL = "--tmax 20 --ntrials 2 --scheduler hybrid";
const OWN = "--requests own.csv --timeline own.json";
const TIMES = `sweep-time ${SMALL} --windows 2`;

export interface Case {
  readonly args: string;
  /** What must have been run before. */
  readonly after?: string;
  /** Its files, where it takes too long to be run here. */
  readonly files?: () => string[];
}

const DATA = fileURLToPath(new URL("../../../data/", import.meta.url));
const FIGS = fileURLToPath(new URL("../../../figs/", import.meta.url));

/** What is committed of the study. */
function reproduced(): string[] {
  const { steps } = JSON.parse(readFileSync(join(DATA, "manifest.json"), "utf8")) as {
    steps: Record<string, { csv: object }>;
  };
  const tables = Object.values(steps).flatMap(({ csv }) => Object.keys(csv));
  // Folders below are another command's: figs/hardware, and figs/demo once somebody has run `npm start`.
  const figures = Object.keys(contents(FIGS)).filter((name) => !/^measured|\//.test(name));
  return [
    ...[...tables, "manifest.json"].map((name) => `data/${name}`),
    ...figures.map((name) => `figs/${name}`),
  ];
}

/** By its name; every experiment is here (every-output.test.ts holds it). */
export const CASES: Readonly<Record<string, Case>> = {
  // process.test.ts runs it, and lists the same.
  demo: {
    args: "demo",
    files: () => [
      "data/demo/demo2_final_results.csv",
      "data/demo/demo2_time_series_results.csv",
      "figs/demo/demo2_dashboard.png",
      "figs/demo/demo2_dashboard.vl.json",
    ],
  },
  run: { args: `run ${SMALL} ${OWN}` },
  sweep: { args: `sweep ${SMALL} --vary max-tokens=256,512` },
  compare: { args: `compare ${SMALL} --with max-tokens=256` },
  plan: { args: `plan ${SMALL} --slo ttft_p90=9s --max-replicas 2 --precision 0.2` },
  "sweep-time": { args: TIMES },
  stability: { args: `stability ${SMALL} --lambdas 1 --precision 0.2 --max-sequences 4` },
  "sweep-chunk": { args: `sweep-chunk ${SMALL} --sizes 64` },
  hybrid: { args: "hybrid --scenario both --tmax 5 --ntrials 2 --npoints 2 --ratios 0.5" },
  validate: { args: "validate", files: () => ["data/validation.csv"] },
  "validate --measured": { args: "validate --measured run --hardware hw.json" },
  calibrate: { args: "calibrate steps.csv --name mine" },
  animate: { args: `animate --tmax 20 --scheduler hybrid --iterations 5` },
  explore: { args: `explore ${SMALL}` },
  plot: { args: "plot", after: TIMES },
  report: { args: "report", after: TIMES },
  reproduce: { args: "reproduce", files: reproduced },
  "reproduce --quick": { args: "reproduce --quick", files: () => ["data/quick/manifest.json"] },
};

const TRACE = `arrival_s,prompt_tokens,output_tokens\n${Array.from({ length: 40 }, (_, i) => `${i / 2},${20 + i},5`).join("\n")}\n`;
const STEPS = ["n_decode,kv_per_decode,prefill_tokens,batch_tokens,sum_kv,step_ms"]
  .concat(
    [1, 8, 32, 128].flatMap((decodes) =>
      [256, 1024].flatMap((kv) =>
        [0, 64, 512].map((prefill) =>
          [decodes, kv, prefill, decodes + prefill, decodes * kv, 10 + 0.04 * (decodes + prefill)].join(","),
        ),
      ),
    ),
  )
  .join("\n");
const MODEL = `name: mine
summary: x
source: x
workload:
  arrivals: { kind: poisson, ratePerSecond: 1 }
  promptTokens: { kind: fixed, tokens: 30 }
  outputTokens: { kind: fixed, tokens: 30 }
service: { kind: affine, cMs: 10 }
`;
const FILES: Readonly<Record<string, string>> = {
  "study.yaml": "seed: 3\n",
  "mine.yaml": MODEL,
  "hw.json": hardwareFile(GPU),
  "t.csv": TRACE,
  "steps.csv": `${STEPS}\n`,
  "server.log":
    "INFO 05-04 09:12:40 [scheduler.py:238] Chunked prefill is enabled with max_num_batched_tokens=4096.\n",
  "own.mjs": readFileSync(new URL("../../../examples/my-scheduler.mjs", import.meta.url), "utf8"),
  ...Object.fromEntries(
    Object.entries(measuredRun(GPU, { maxTokens: 2048, maxSequences: 32 }, { count: 20 })).map(
      ([name, text]) => [`run/${name}`, text],
    ),
  ),
};

/** The document of an earlier run, the same for all cases. */
let base: Promise<string> | undefined;

/** What the cases read, in this folder. */
export async function prepared(cwd: string, { after }: Case): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(cwd, dirname(name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  writeFileSync(join(cwd, "study2.yaml"), "engine: { maxTokens: 512 }\n");
  base ??= llmsim(`run ${SMALL} --workers 0 --quiet --json`, { cwd }).then(({ stdout }) => stdout);
  writeFileSync(join(cwd, "base.json"), await base);
  if (after === undefined) return;
  expect(await llmsim(`${after} --workers 0 --quiet`, { cwd })).toMatchObject({ code: 0 });
  rmSync(join(cwd, "figs"), { recursive: true });
}
