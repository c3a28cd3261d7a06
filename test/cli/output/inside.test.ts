/** Whatever scenarios, files and plugins are called, what is written stays in the folders for it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test as plain, vi } from "vitest";
import { inside } from "../../../src/cli/files/inside.js";
import type { OutputFile } from "../../../src/cli/files/outputs.js";
import { workspaceIn } from "../../../src/cli/files/workspace.js";
import { writeFiles } from "../../../src/cli/files/write.js";
import { ConfigError } from "../../../src/core/errors.js";
import { nodeFiles } from "../../../src/io/files.js";
import { contents, listing, llmsim, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("./light-pictures.js"));

const OUT = [
  "../x.csv",
  "..",
  ".",
  "",
  "a/../../x.csv",
  "../data2/x.csv",
  "a/../..",
  "x\u0000.csv",
  "../../../etc/x",
];

plain.each(OUT)("%j leads out of the folder", (name) => {
  for (const folder of ["data", "/srv/data", "../data"])
    expect(() => inside("/home/me", folder, name)).toThrow(ConfigError);
});

plain.each([
  ["x.csv", "/home/me/data/x.csv"],
  ["demo/x.csv", "/home/me/data/demo/x.csv"],
  ["..x.csv", "/home/me/data/..x.csv"],
  ["a/../x.csv", "/home/me/data/x.csv"],
  ["/etc/passwd", "/home/me/data/etc/passwd"],
])("%s does not", (name, path) => {
  expect(inside("/home/me", "data", name)).toBe(path);
  expect(inside("/home/me/data", ".", name)).toBe(path);
});

describe("a command", () => {
  test("writes no table, figure, text or animation elsewhere", async ({ folder }) => {
    const cwd = join(folder, "own");
    mkdirSync(cwd);
    const places = { cwd, data: "data", figs: "figs" };
    const table = { columns: ["a"], rows: [] };
    const outputs = {
      write: async (files: readonly OutputFile[]): Promise<void> => {
        for (const { path, data } of files) await nodeFiles.writeAtomic(path, data);
      },
    };
    for (const name of OUT.slice(0, 7))
      for (const report of [
        { csv: [{ path: name, ...table }], figures: [] },
        { csv: [], texts: [{ path: name, text: "" }], figures: [] },
        { csv: [], figures: [{ path: name, spec: { mark: "point", data: { values: [] } } }] },
      ])
        await expect(writeFiles(report, places, outputs, () => {})).rejects.toThrow(/^refused file name: /);
    const workspace = workspaceIn(places, { cwd, fs: nodeFiles }, outputs, () => {});
    await expect(workspace.writeText("../x", "")).rejects.toThrow(/^refused file name/);
    await expect(workspace.readText("../../x")).rejects.toThrow(/^refused file name/);
    expect(listing(folder)).toEqual(["own"]);
    // What the user names is the user's choice.
    const own = { csv: [{ path: "../mine.csv", under: "current" as const, ...table }], figures: [] };
    expect(await writeFiles(own, places, outputs, () => {})).toEqual(["../mine.csv"]);
  });

  test("takes of a file's name what is no path", async ({ folder }) => {
    const cwd = join(folder, "a/b");
    mkdirSync(cwd, { recursive: true });
    const model = `workload:
  arrivals: { kind: poisson, ratePerSecond: 3 }
  promptTokens: { kind: fixed, tokens: 30 }
  outputTokens: { kind: fixed, tokens: 30 }
service: { kind: affine, cMs: 10 }
`;
    const flags = "--tmax 5 --ntrials 2 --windows 1 --scheduler hybrid --workers 0 --quiet";
    for (const [i, name] of ["...yaml", "..%2f..%2fx.yaml", "..\\x.yaml", "a b;$(id).yaml"].entries()) {
      const file = join(folder, "a", name);
      writeFileSync(file, i % 2 === 0 ? model : `name: ../../up\nsummary: x\nsource: x\n${model}`);
      const before = contents(folder);
      const { code, stderr } = await llmsim(["sweep-time", "--scenario", `../${name}`, ...flags.split(" ")], {
        cwd,
      });
      expect([code, stderr]).toEqual([0, ""]);
      const made = Object.keys(contents(folder)).filter((one) => !(one in before));
      expect(made).toHaveLength(4);
      for (const one of made) expect(one).toMatch(/^a\/b\/(data|figs)\/[^/]+$/);
    }
  });

  test("refuses a plugin that calls its scheduler a path", async ({ folder: cwd }) => {
    writeFileSync(join(cwd, "own.mjs"), `export default { name: "../../up", create: () => ({}) };\n`);
    const { code, stderr } = await llmsim("sweep-chunk --plugin own.mjs --scheduler ../../up --workers 0", {
      cwd,
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/error: plugin own\.mjs: .*name/);
    expect(listing(cwd)).toEqual(["own.mjs"]);
  });
});
