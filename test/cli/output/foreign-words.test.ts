/**
 * Words of others by every door: a control character is shown and not done, a newline begins no line, a quote or `$(…)`
 * does nothing in a shell, and `<b>` is no markup. A new door is one more line of DOORS.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, vi } from "vitest";
import { harmless, inALine, shellWord } from "../../../src/core/foreign-words.js";
import { report } from "../../../src/cli/faults.js";
import { takeLock } from "../../../src/cli/files/lock.js";
import { nodeFiles } from "../../../src/io/files.js";
import { GPU, hardwareFile, measuredRun } from "../../experiments/measured-runs.js";
import { llmsim, SMALL, test } from "../session.js";

// A report has its pictures as SVG, in which words are, too: those are drawn.
vi.mock("../../../src/io/png.js", async (original) => ({
  ...(await original<object>()),
  renderPng: (spec: object) => Promise.resolve(Buffer.from(JSON.stringify(spec))),
}));

/** Clears a terminal, colours it, goes back in its line, begins a new one, quotes, runs, is bold, asks for the cursor. */
const WORD = `a"'<b>$(x)\u001b[2J\u001b[31m\rback\nFORGED line\u009b6n`;
const CONTROL = /(?!\n)[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Puts what a door needs into a folder, and answers the command line. */
type Door = (put: (name: string, text: string) => void, cwd: string) => Promise<readonly string[]> | string[];

const words = (line: string): string[] => line.split(" ");
const RUN = words(`run ${SMALL}`);
const ENGINE = { maxTokens: 2048, maxSequences: 64, kvTokens: 20_000, blockTokens: 16, async: true };
const MODEL = `workload: {arrivals: {kind: poisson, ratePerSecond: 1}, promptTokens: {kind: fixed, tokens: 9},
 outputTokens: {kind: fixed, tokens: 9}}\nservice: {kind: affine, cMs: 10}\n`;
const quoted = JSON.stringify(WORD);

/** A finished file of another run, with its words changed. */
async function changed(
  cwd: string,
  argv: readonly string[],
  change: (text: string) => string,
): Promise<void> {
  await llmsim(argv, { cwd });
  for (const name of readdirSync(join(cwd, "data")))
    if (/\.(json|shard-.*)$/.test(name)) {
      const path = join(cwd, "data", name);
      writeFileSync(path, change(readFileSync(path, "utf8")));
    }
}

const DOORS: Readonly<Record<string, Door>> = {
  "a command": () => [WORD],
  "the command that help is asked for": () => ["help", WORD],
  "a flag": () => ["run", `--${WORD}`],
  "a superfluous argument": () => ["run", WORD],
  "a flag's value": () => [...RUN, "--lam", WORD],
  "a name of several": () => [...RUN, "--scheduler", WORD],
  "an assignment": () => [...RUN, "--set", `${WORD}=1`],
  "an assigned value": () => [...RUN, "--set", `engine.router.kind=${WORD}`],
  "a condition": () => [...RUN, "--assert", WORD],
  "an SLO": () => [...RUN, "--slo", `${WORD}=1s`],
  "a list": () => ["sweep", "--vary", `lam=${WORD}`],
  "a file's name": (put) => (put(`${WORD}.yaml`, MODEL), [...RUN, "--config", `${WORD}.yaml`]),
  "a scenario's name": (put) => (put(`${WORD}.yaml`, MODEL), [...RUN, "--scenario", `./${WORD}.yaml`]),
  "a hardware file's name": (put) => (
    put(`${WORD}.json`, hardwareFile(GPU)),
    [...RUN, "--hardware", `./${WORD}.json`]
  ),
  "a trace's name": (put) => (
    put(`${WORD}.csv`, "arrival_s,prompt_tokens,output_tokens\n0,5,5\n1,5,5\n"),
    [...RUN, "--trace", `${WORD}.csv`, "--scheduler", "vllm"]
  ),
  "a folder's name": () => [...RUN, "--requests", "data/r.csv", "--out-data", WORD],
  "a file to write": () => [...RUN, "--requests", `${WORD}.csv`],
  "a file that is not there": () => [...RUN, "--config", `${WORD}.yaml`],
  "a key of a YAML file": (put) => (put("c.yaml", `${quoted}: 1\n`), [...RUN, "--config", "c.yaml"]),
  "a value of a YAML file": (put) => (
    put("c.yaml", `engine: {maxTokens: ${quoted}}\n`),
    [...RUN, "--config", "c.yaml"]
  ),
  "a YAML file that is none": (put) => (put("c.yaml", `a: [${WORD}`), [...RUN, "--config", "c.yaml"]),
  "a key of a JSON file": (put) => (put("c.json", `{${quoted}: 1}`), [...RUN, "--config", "c.json"]),
  "a trace's column": (put) => (
    put("t.csv", `"${WORD.replaceAll('"', '""')}",b\n1,2\n`),
    [...RUN, "--trace", "t.csv"]
  ),
  "a trace's cell": (put) => (
    put("t.csv", `arrival_s,prompt_tokens,output_tokens\n0,"${WORD.replaceAll('"', '""')}",5\n`),
    [...RUN, "--trace", "t.csv"]
  ),
  "a JSON trace": (put) => (
    put("t.json", JSON.stringify([{ [WORD]: WORD, arrival_s: WORD }])),
    [...RUN, "--trace", "t.json"]
  ),
  "a vLLM log": (put) => (
    put("v.log", `INFO vLLM API server version 0.19.0\nversion ${WORD} config: max_num_seqs=${WORD}\n`),
    [...RUN, "--vllm-log", "v.log"]
  ),
  "vLLM's arguments": () => [...RUN, "--vllm-args", `vllm serve ${WORD} --max-num-seqs ${WORD} --${WORD}`],
  "a plugin's scheduler": (put) => (
    put("p.mjs", `export default {name: ${quoted}, create: () => ({compose() {}})};`),
    [...RUN, "--plugin", "p.mjs", "--scheduler", "none"]
  ),
  "a plugin's error": (put) => (
    put("p.mjs", `export default {name: "p", create: () => ({compose() { throw new Error(${quoted}); }})};`),
    [...RUN, "--plugin", "p.mjs", "--scheduler", "p"]
  ),
  "a plugin that cannot be read": (put) => (
    put("p.mjs", `throw new Error(${quoted});`),
    [...RUN, "--plugin", "p.mjs", "--scheduler", "p"]
  ),
  "a measured run's settings": (put, cwd) => {
    mkdirSync(join(cwd, "m"));
    for (const [name, text] of Object.entries(measuredRun(GPU, ENGINE, { count: 5 })))
      put(
        `m/${name}`,
        name === "meta.json" ? `{"engine_kwargs": {"max_num_seqs": ${quoted}}, ${quoted}: 1}` : text,
      );
    put("hw.json", hardwareFile(GPU));
    return words("validate --measured m --hardware hw.json");
  },
  "a shard file's command line": async (_, cwd) => {
    await changed(cwd, words("sweep --vary lam=1,2 --tmax 20 --ntrials 2 --workers 0 --shard 1/1"), (text) =>
      text.replaceAll('"--tmax"', `${quoted},"--tmax"`),
    );
    return [
      "merge",
      ...readdirSync(join(cwd, "data"))
        .map((name) => `data/${name}`)
        .filter((n) => /shard/.test(n)),
    ];
  },
  "a shard file that is none": (put) => (put("s", `${WORD}\n`), ["merge", "s"]),
  "what a folder's record says of an earlier run": async (_, cwd) => {
    const line = words("sweep --vary lam=1,2 --tmax 20 --ntrials 2 --workers 0");
    await llmsim(line, { cwd });
    const record = join(cwd, "data", ".llmsim.json");
    writeFileSync(
      record,
      readFileSync(record, "utf8").replace(/"command": "[^"]*"/g, `"command": ${quoted}`),
    );
    return [...line.slice(0, -2), "--seed", "9", "--workers", "0"];
  },
  "a record that is none": (put, cwd) => {
    mkdirSync(join(cwd, "data"));
    put("data/.llmsim.json", `{"version": ${quoted}}`);
    return words("sweep --vary lam=1,2 --tmax 20 --ntrials 2 --workers 0");
  },
  "a manifest": (put, cwd) => {
    mkdirSync(join(cwd, "data"));
    put(
      "data/manifest.json",
      JSON.stringify({ llmsim: WORD, core: WORD, seed: WORD, steps: { [WORD]: { csv: WORD } } }),
    );
    return ["report"];
  },
  "a table's cells": (put, cwd) => {
    mkdirSync(join(cwd, "data"));
    const cell = `"${WORD.replaceAll('"', '""')}"`;
    put(
      "data/sweep_ratePerSecond.csv",
      `scheduler,t_max_s,lambda_qps,chunk_size,ratio,trials\n${cell},1,2,,,3\n`,
    );
    return ["report"];
  },
};

describe("words of others", () => {
  for (const [name, door] of Object.entries(DOORS))
    test(`${name}: nothing of it is done on a terminal or begins a line`, async ({ folder: cwd }) => {
      const argv = await door((file, text) => writeFileSync(join(cwd, file), text), cwd);
      for (const isTTY of [false, true]) {
        const { stdout, stderr, code } = await llmsim(argv, { cwd, isTTY, env: { NO_COLOR: "1" } });
        // The bar of a terminal is drawn over itself.
        const said = (stdout + stderr).replaceAll("\r\u001b[K", "");
        expect([0, 1, 2, 4], said).toContain(code);
        expect(said).not.toMatch(CONTROL);
        expect(said).not.toMatch(/^(\s|error: |note: |warning: )*FORGED/m);
      }
    });

  test("a lock's owner is told in one line", async ({ folder: cwd }) => {
    const path = join(cwd, "a.lock");
    writeFileSync(path, JSON.stringify({ pid: 1, host: WORD, since: WORD }));
    let said = "";
    const output = { write: (text: string) => (said += text) };
    const error: unknown = await takeLock(path, "a.lock", nodeFiles, () => {}).catch((one: unknown) => one);
    expect(report(error, output, "llmsim")).toBe(2);
    expect(said).toMatch(/^error: another run .*\\nFORGED line.*\n$/);
    expect(said).not.toMatch(CONTROL);
  });

  test("no markup in a report of a manifest and tables of others", async ({ folder: cwd }) => {
    await llmsim("sweep-time --scenario demo2 --windows 2 --tmax 20 --ntrials 2 --workers 0", { cwd });
    const name = readdirSync(join(cwd, "data")).find((one) => one.endsWith(".csv"))!;
    const path = join(cwd, "data", name);
    const cell = `"${WORD.replaceAll('"', '""')}"`;
    writeFileSync(path, readFileSync(path, "utf8").replaceAll(/^[a-z-]+(?=,\d)/gm, cell));
    const { code } = await llmsim("report --overwrite", { cwd });
    expect(code).toBe(0);
    for (const name of ["report.html", "report.md"]) {
      const text = readFileSync(join(cwd, "data", name), "utf8");
      expect(text).not.toContain("<b>");
      expect(text).not.toMatch(/^FORGED/m);
    }
  });
});

const odd = fc.string({
  unit: fc.constantFrom(..."ab '\"\\$`!*;&|<>(){}[]#~\n\r\t\u001b\u0007\u009b\u2028é😀"),
});

test("a printed word is that word again in a shell, in one line", { timeout: 300_000 }, () => {
  if (spawnSync("bash", ["-c", "true"]).status !== 0) return; // no bash here to ask
  const all = fc.sample(odd, 300);
  const script = `printf '%s\\0' ${all.map(shellWord).join(" ")}`;
  expect(script).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  const { stdout } = spawnSync("bash", ["-c", script], { env: { ...process.env, LC_ALL: "C.UTF-8" } });
  expect(stdout.toString("utf8").split("\0").slice(0, -1)).toEqual(all);
});

test("a line is one, and what is harmless stays", () => {
  fc.assert(
    fc.property(odd, (text) => {
      expect(inALine(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      expect(harmless(text)).not.toMatch(CONTROL);
      expect(harmless(harmless(text))).toBe(harmless(text));
    }),
  );
  const ours = "\u001b[1mλ* = 5.34 ± 0.02\u001b[22m\n\u001b[2mscenario demo2\u001b[22m\n";
  expect(harmless(ours)).toBe(ours);
  expect(harmless("\u001b[31mred\u001b]0;title\u0007")).toBe("\\u001b[31mred\\u001b]0;title\\u0007");
  expect(inALine("abcdefghijklmnop", 9)).toBe("abcde...p");
});
