/** A manifest of another shape: told first, by every command that reads one; nothing is run, drawn or written. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { readManifestFile } from "../../../src/cli/files/manifest-file.js";
import { contents, llmsim, test } from "../session.js";

type Json = Record<string, unknown>;
const whole = readFileSync("data/manifest.json", "utf8");
/** The committed manifest, changed. */
function changed(change: (manifest: Json, step: Json, study: Json) => void): string {
  const manifest = JSON.parse(whole) as Json;
  const step = (manifest.steps as Record<string, Json>)["time windows, demo2"]!;
  change(manifest, step, step.study as Json);
  return JSON.stringify(manifest);
}

const STEP = "steps.time windows, demo2";
const SHAPES: Readonly<Record<string, readonly [text: string, told: string]>> = {
  "not JSON": ["{", "not JSON"],
  null: ["null", "invalid input: expected object, received null"],
  "a list": ["[]", "invalid input: expected object, received array"],
  "no steps": ['{"llmsim":"1","seed":1}', "steps: invalid input: expected record, received undefined"],
  "steps of null": [
    '{"llmsim":"1","seed":1,"steps":{"a":null}}',
    "steps.a: invalid input: expected object, received null",
  ],
  "a step without tables": [
    changed((_, step) => delete step.csv),
    `${STEP}.csv: invalid input: expected record, received undefined`,
  ],
  "a hash that is none": [
    changed((_, step) => (step.csv = { "x.csv": { a: 1 } })),
    `${STEP}.csv.x.csv: invalid input: expected string, received object`,
  ],
  "a study without a configuration": [
    changed((_, __, study) => delete study.config),
    `${STEP}.study.config: invalid input: expected object, received undefined`,
  ],
  "a scenario that is a number": [
    changed((_, __, study) => (study.scenario = 7)),
    `${STEP}.study.scenario: invalid input: expected string, received number`,
  ],
  "schedulers of null": [
    changed((_, __, study) => (study.schedulers = [null])),
    `${STEP}.study.schedulers.0: invalid input: expected object, received null`,
  ],
  "a convention of no name": [
    changed((_, __, study) => ((study.config as Json).conventions = { tbt: "x" })),
    `${STEP}.study.config.conventions.firstToken: invalid option: expected one of "prefill"|"decode"`,
  ],
  "a seed that is none": [
    changed((manifest) => (manifest.seed = "1; id")),
    "seed: invalid input: expected number, received string",
  ],
  "__proto__ as a step": [
    '{"llmsim":"1","seed":1,"steps":{"__proto__":{"key":"k","csv":{}}}}',
    "refused key: __proto__",
  ],
  "a key too many": [changed((manifest) => (manifest.more = 1)), 'unrecognized key: "more"'],
};

describe.each(["report", "plot", "reproduce --check", "reproduce"])("%s", (command) => {
  test.for(Object.keys(SHAPES))("%s", async (name, { folder: cwd }) => {
    const [text, told] = SHAPES[name]!;
    const data = join(cwd, "data");
    mkdirSync(data);
    cpSync("data/demo2_time_series_results.csv", join(data, "demo2_time_series_results.csv"));
    writeFileSync(join(data, "manifest.json"), text);
    const before = contents(cwd);
    const { code, stdout, stderr } = await llmsim(`${command} --workers 0 --quiet`, { cwd });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`error: invalid manifest.json: ${told} (delete it to start anew)\n`);
    expect(contents(cwd)).toEqual(before);
  });
});

test("the committed ones are taken as they are", async () => {
  for (const name of ["data/manifest.json", "data/quick/manifest.json"]) {
    const text = readFileSync(name, "utf8");
    expect(await readManifestFile(text, name)).toEqual(JSON.parse(text));
  }
});

test("a thousand problems are ten", async () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`s${i}`, 1]));
  await expect(
    readManifestFile(JSON.stringify({ llmsim: "1", seed: 1, steps: many }), "m.json"),
  ).rejects.toThrow(/m\.json: … and 990 more$/);
});
