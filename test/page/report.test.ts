/** The report's page in a real browser: its pictures are there, and its policy lets nothing else in. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { llmsim } from "../cli/session.js";
import { chromiumPath, launch, opened, WHY_SKIPPED } from "./browser.js";

const isSkipped = chromiumPath() === undefined;

test.skipIf(isSkipped)(`shows its figures${isSkipped ? `: ${WHY_SKIPPED}` : ""}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-report-"));
  const browser = await launch();
  try {
    for (const name of ["manifest.json", "demo3_chunking_impact.csv"])
      cpSync(join("data", name), join(folder, "data", name));
    expect((await llmsim("report --quiet", { cwd: folder })).code).toBe(0);
    const { page, complaints, addresses } = await opened(browser, join(folder, "data/report.html"), "", {
      width: 390,
    });
    const pictures = await page.$$eval("img", (all) =>
      all.map((one) => ({
        width: (one as HTMLImageElement).naturalWidth,
        words: one.getAttribute("alt")!.length,
      })),
    );
    expect(pictures).toHaveLength(1);
    expect(pictures[0]!.width).toBeGreaterThan(300);
    expect(pictures[0]!.words).toBeGreaterThan(40);
    expect(complaints).toEqual([]);
    expect(addresses.filter((address) => !address.startsWith("data:"))).toHaveLength(1);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});
