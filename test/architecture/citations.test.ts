/** What comments, tests and pages cite is here: pages, their sections, files. Who clones the project can look it up. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Below these folders, and beside them. */
const texts = ["src", "test", "scripts", "docs", "examples", "bin", "."]
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: folder !== ".", encoding: "utf8" }).map((name) =>
      join(folder, name).replaceAll("\\", "/"),
    ),
  )
  .filter((path) => /\.(ts|cts|js|mjs|md)$/.test(path) && !/node_modules|^test\/architecture/.test(path))
  // What a recipe makes is not there yet: its lines stay, empty.
  .map((path) => ({
    path,
    text: read(path).replace(/^```ts .*?^```$/gms, (code) => code.replace(/[^\n]/g, "")),
  }));
const paths = new Set(texts.map(({ path }) => path));

/** Sections of a page, by the number of their heading. */
const sectionsOf = (page: string): Set<string> =>
  new Set([...read(`docs/${page}.md`).matchAll(/^##+ (\d+)\. /gm)].map(([, number]) => number!));
const SECTIONS = { model: sectionsOf("model"), theory: sectionsOf("theory") };

interface Citation {
  readonly where: string;
  readonly cited: string;
}
/** Whatever `pattern` finds, with the file and line that says it. */
function citations(pattern: RegExp): (Citation & { readonly groups: readonly string[] })[] {
  return texts.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map((match) => ({
      where: `${path}:${text.slice(0, match.index).split("\n").length}`,
      cited: match[0],
      groups: match.slice(1),
    })),
  );
}

describe("citations", () => {
  test("of pages: docs/x.md is there", () => {
    const cited = citations(/(?<![\w/])docs\/([\w-]+)\.md/g);
    expect(cited.length).toBeGreaterThan(50);
    expect(cited.filter(({ cited: page }) => !existsSync(join(ROOT, page)))).toEqual([]);
  });

  test("of pages by a link are there", () => {
    const links = texts
      .filter(({ path }) => path.endsWith(".md"))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target]) => ({
          where: path,
          cited: join(dirname(path), target!),
        })),
      );
    expect(links.length).toBeGreaterThan(30);
    expect(links.filter(({ cited }) => !existsSync(join(ROOT, cited)))).toEqual([]);
  });

  test("of sections: the model's and the theory's page have them", () => {
    const cited = citations(/\b(model|theory)(?: page|\.md)?,? §(\d+)/gi);
    expect(cited.length).toBeGreaterThan(100);
    const missing = cited.filter(
      ({ groups: [page, section] }) => !SECTIONS[page!.toLowerCase() as "model" | "theory"].has(section!),
    );
    expect(missing).toEqual([]);
  });

  test("of no page that the project has not", () => {
    // README, SECURITY and the like stand beside the folders.
    const cited = citations(/\b([A-Z][A-Z_]{3,})\.md\b/g).filter(
      ({ cited: page }) => !existsSync(join(ROOT, page)),
    );
    const bare = citations(
      /\b(?:DESIGN|RELIABILITY|THEORY|HOUSE|SERVING|FIDELITY|EXPERIENCE|ANSWERS|CASES) §/g,
    );
    expect([...cited, ...bare].map(({ where, cited: page }) => `${where}: ${page}`)).toEqual([]);
  });

  test("of files: a path from src or test is there", () => {
    const cited = citations(/(?<![\w/.-])((?:src|test|scripts)\/[\w/.-]+\.(?:ts|js|mjs|c))\b/g);
    expect(cited.length).toBeGreaterThan(20);
    // `x` is any file.
    const named = cited.filter(({ cited: path }) => !/\/x[./]/.test(path));
    expect(named.filter(({ cited: path }) => !paths.has(path) && !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("the folders are those of the repository", () => {
    const tracked = execFileSync("git", ["ls-files", "*.md"], { cwd: ROOT, encoding: "utf8" });
    for (const page of tracked
      .trim()
      .split("\n")
      .filter((path) => path.startsWith("docs/")))
      expect(paths).toContain(page);
  });
});
