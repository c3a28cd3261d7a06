/** docs/model.md and the code name the same things; the page's example is what the engine does. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  CONVENTION_OPTIONS,
  ENGINE_OPTIONS,
  HORIZON_OPTIONS,
  REFERENCE,
  STANDARD,
} from "../../src/core/configuration/config.js";
import { METRICS } from "../../src/core/measures/metrics.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import { endOfIteration, type StretchRecord } from "../../src/core/engine/observer.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import { requestsOf, type Row, run } from "./workloads.js";

const page = readFileSync(new URL("../../docs/model.md", import.meta.url), "utf8");
const sections = page.split(/^## /m).slice(1);
const section = (number: number): string => sections[number - 1];

describe("the page names", () => {
  test("its six sections, which code and tests cite", () => {
    expect(sections.map((text) => text.slice(0, text.indexOf("\n")))).toEqual([
      "1. Objects",
      "2. One iteration",
      "3. Conventions",
      "4. Metrics",
      "5. Scenarios",
      "6. Known answers",
    ]);
  });

  test("every metric", () => {
    for (const { name } of METRICS) expect(section(4)).toContain(`\`${name}\``);
    const named = [...section(4).matchAll(/`([a-z_0-9]+_(?:s|qps)|n_[a-z]+)`/g)].map((match) => match[1]);
    const known = METRICS.map(({ name }) => name);
    expect(
      named.filter((name) => name !== "_s" && name !== "_qps" && name !== "_per_s" && !known.includes(name)),
    ).toEqual([]);
  });

  test("every convention, its values, and both sets of them", () => {
    for (const { key, choices } of CONVENTION_OPTIONS) {
      for (const choice of choices!) expect(section(3)).toContain(`\`${key}: ${choice}\``);
      const row = section(3).match(new RegExp(`^\\| \`${key}\` +\\| \`(\\w+)\` +\\| \`(\\w+)\` +\\|$`, "m"))!;
      const field = key as keyof typeof STANDARD;
      expect([key, row[1], row[2]]).toEqual([key, STANDARD[field], REFERENCE[field]]);
    }
  });

  test("every setting of engine and horizon, and every member of every family", () => {
    for (const { key, default: value } of ENGINE_OPTIONS) {
      const row = section(1).match(new RegExp(`^\\| \`${key}\`.*\\| (\\S+) +\\|$`, "m"))!;
      expect([key, row[1]]).toEqual([key, String(value)]);
    }
    for (const { key } of HORIZON_OPTIONS) expect(section(4)).toContain(`\`horizon.${key}\``);
    for (const family of Object.values(builtIn))
      for (const { name, options } of family) {
        expect(page).toContain(`\`${name}\``);
        for (const { key } of options)
          expect([name, page.includes(`\`${key}`) || key === "ratio" || key === "ratePerSecond"]).toEqual([
            name,
            true,
          ]);
      }
  });

  test("sections that exist: no test or source cites another", () => {
    expect(page).not.toMatch(/§[7-9]|§0/);
  });
});

/** Every iteration of the page's example, in its words: `15–36 d0 p1:10 ■2`. */
function iterations(kind: string): string[] {
  const rows: Row[] = [
    [0, 5, 3],
    [12e6, 10, 2],
    [22e6, 3, 0],
  ];
  const { config, outcome } = run(rows, { scheduler: { kind }, engine: { maxTokens: 12, maxSequences: 4 } });
  const { finishedAt } = outcome.shared.sequences;
  const ids = [0, 1, 2];
  const lines: string[] = [];
  const ended = (stretch: StretchRecord): void => {
    for (let i = 1; i <= stretch.iterations; i++) {
      const from = endOfIteration(stretch, i - 1);
      const until = endOfIteration(stretch, i);
      const decoding = ids.filter((id) => stretch.decodeIds.includes(id));
      const done = ids.filter((id) => finishedAt[id] === until);
      lines.push(
        [
          `${from / 1e6}–${until / 1e6}`,
          ...decoding.map((id) => `d${id}`),
          ...stretch.chunks.map(({ id, tokens }) => `p${id}:${tokens}`),
          ...done.map((id) => `■${id}`),
        ].join(" "),
      );
    }
  };
  new Simulator().run(config, requestsOf(rows), { seed: 1, trial: 1, observer: { ended } });
  return lines;
}

test("the page's example is what the engine does (model §2)", () => {
  const table = section(2)
    .split("\n")
    .filter((line) => /^\| (\d+–\d+ |  )/.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, 4)
        .map((cell) => cell.trim()),
    );
  const column = (i: number): string[] => table.map((cells) => cells[i]).filter((cell) => cell !== "");
  expect(column(0)).toEqual(iterations("decode-prioritizing"));
  expect(column(1)).toEqual(iterations("prefill-prioritizing"));
  expect(column(2)).toEqual(iterations("hybrid"));
});
