/** The folders of a run vanish while it runs, or become something else: it ends, whole or with path and reason. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { nodeFiles, type FileSystem } from "../../../src/io/files.js";
import { contents, llmsim, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

const COMMAND = "sweep-time --scheduler hybrid --windows 2 --tmax 20 --ntrials 2 --workers 0 --quiet";

/** The file system, where something happens once the journal has been begun: the run is under way. */
const while_ = (happens: () => void): FileSystem => ({
  ...nodeFiles,
  appendTo: async (path, start) => {
    const file = await nodeFiles.appendTo(path, start);
    happens();
    return file;
  },
});

test("the data folder goes: it is made again, and the results are whole", async ({ folder }) => {
  const [sound, other] = [join(folder, "sound"), join(folder, "other")];
  for (const cwd of [sound, other]) mkdirSync(cwd);
  expect((await llmsim(COMMAND, { cwd: sound })).code).toBe(0);
  for (const gone of ["data", "."]) {
    const fs = while_(() => rmSync(join(other, gone), { recursive: true }));
    const { code, stderr } = await llmsim(COMMAND, { cwd: other, fs });
    expect([code, stderr]).toEqual([0, ""]);
    expect(contents(other)).toEqual(contents(sound));
  }
});

test.for(["data", "figs"])("%s becomes a file: exit 2, with path and reason", async (name, { folder }) => {
  const fs = while_(() => {
    rmSync(join(folder, name), { recursive: true, force: true });
    writeFileSync(join(folder, name), "mine\n");
  });
  const { code, stderr } = await llmsim(COMMAND, { cwd: folder, fs });
  expect(code).toBe(2);
  expect(stderr).toMatch(new RegExp(`^error: cannot \\w+ \\S*${name}\\S*: not a directory\n$`));
  expect(contents(folder)[name]).toBe("mine\n");
});

test("the folder becomes a link to another: exit 2, with path and reason, and nothing is written there", async ({
  folder,
}) => {
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  // Looked up once before the run, and once more when its lock is held.
  let looks = 0;
  const fs: FileSystem = {
    ...nodeFiles,
    locate: async (path) => {
      const place = await nodeFiles.locate(path);
      const isOutput = path.includes("dashboard.png");
      return isOutput && ++looks > 2 ? { ...place, real: join(elsewhere, "x.png") } : place;
    },
  };
  const { code, stderr } = await llmsim(COMMAND, { cwd: folder, fs });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: cannot write figs\/\S+: its folder has become another one meanwhile\n$/);
  expect(contents(elsewhere)).toEqual({});
});

test("a folder with half of a character in its name is the one that the disk has", async ({ folder }) => {
  const { code, stderr } = await llmsim([...COMMAND.split(" "), "--out-figs", "\ud800"], { cwd: folder });
  expect([code, stderr]).toEqual([0, ""]);
  expect(Object.keys(contents(join(folder, "\ufffd"))).length).toBeGreaterThan(0);
});
