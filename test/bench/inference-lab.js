/**
 * `inference-lab`: another simulator on a like workload. Its package is no dependency of ours: it is installed
 * into a temporary folder, without its scripts, when this part is asked for.
 *
 * Like, not the same: its engine is a roofline (the dearer of compute and memory traffic, with attention) and has
 * no mixtures of lengths. Its hardware here reads the weights in 10 ms and computes half a millisecond a token, as
 * demo2's engine does; lengths are uniform about demo2's means. It also keeps a time series, which ours does not.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { simulate } from "../../dist/bundle/index.js";
import { demo2 } from "./demo2.js";
import { assertMeasured, processorNs, table } from "./figures.js";
import { temporaryFolder } from "./temporary.js";

const PACKAGE = "@doublewordai/inference-lab";
const VERSION = "0.2.1";

export const summary = `ns per request of ${PACKAGE} ${VERSION} (Rust, compiled to WASM) on a like workload`;

const PROMPT_TOKENS = { min: 32, max: 186 }; // mean 109; demo2's is 108.8
const OUTPUT_TOKENS = { min: 64, max: 256 }; // mean 160, as demo2's

const configOf = (requests) => ({
  hardware: {
    name: "as demo2",
    compute_flops: 4e13,
    memory_bandwidth: 2e12,
    memory_capacity: 8e10,
    kv_cache_capacity: 4e10,
    gpu_memory_utilization: 0.9,
    bytes_per_param: 2,
  },
  model: {
    name: "as demo2",
    num_parameters: 1e10,
    num_active_parameters: 1e10,
    num_layers: 32,
    hidden_dim: 4096,
    num_heads: 32,
    num_kv_heads: 8,
    max_seq_len: 4096,
  },
  scheduler: {
    max_num_batched_tokens: 2048,
    max_num_seqs: 1000,
    policy: "fcfs",
    enable_chunked_prefill: true,
    block_size: 16,
  },
  workload: {
    arrival_pattern: "poisson",
    arrival_rate: 2,
    input_len_dist: { type: "uniform", ...PROMPT_TOKENS },
    output_len_dist: { type: "uniform", ...OUTPUT_TOKENS },
    num_requests: requests,
    seed: 1,
  },
  simulation: { log_interval: 1_000_000_000 },
});

/** The same requests in distribution, for our engine. */
const oursOf = (requests) => {
  const config = demo2("hybrid", { tmaxSeconds: requests, maxRequests: requests });
  const uniform = ({ min, max }) => ({ kind: "uniform", min, max });
  return {
    ...config,
    workload: {
      ...config.workload,
      promptTokens: uniform(PROMPT_TOKENS),
      outputTokens: uniform(OUTPUT_TOKENS),
    },
  };
};

export async function run({ isSmoke, say }) {
  const sizes = isSmoke ? [200] : [1000, 5000, 10_000];
  const simulateThere = await install(temporaryFolder());
  const rows = sizes.map((requests) => {
    const there = time(() => completed(simulateThere(JSON.stringify(configOf(requests))), requests));
    simulate(oursOf(requests)); // once to warm up, as short runs need it most
    const here = time(() => simulate(oursOf(requests)));
    assertMeasured({ there, here });
    const perRequest = [there / requests, here / requests].map((ns) => ns.toFixed(0));
    return [String(requests), ...perRequest, (there / here).toFixed(0)];
  });
  say(table([["requests", "inference-lab, ns each", "ours (hybrid), ns each", "ratio"], ...rows]));
}

function time(work) {
  const started = processorNs();
  work();
  return processorNs() - started;
}

function completed(result, requests) {
  const { completed_requests: count } = result.metrics;
  if (Number(count) !== requests) throw new Error(`${PACKAGE} completed ${count} of ${requests} requests`);
}

/** Installs the package and starts it. @returns its `run_simulation(json)` */
async function install(folder) {
  const wanted = `${PACKAGE}@${VERSION}`;
  try {
    execFileSync(
      "npm",
      ["install", "--no-save", "--ignore-scripts", "--silent", "--prefix", folder, wanted],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
  } catch (error) {
    throw new Error(`cannot install ${wanted}: is the npm registry in reach?`, { cause: error });
  }
  const at = join(folder, "node_modules", PACKAGE);
  const library = await import(pathToFileURL(join(at, "inference_lab.js")).href);
  library.initSync({ module: readFileSync(join(at, "inference_lab_bg.wasm")) });
  return library.run_simulation;
}
