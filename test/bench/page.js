/** `page`: the explorer in the system's Chromium: its first picture, curves after a slider's move, frames a second. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assertMeasured, median, table, wanted } from "./figures.js";
import { temporaryFolder } from "./temporary.js";

export const summary =
  "the explorer's first picture, its curves after a slider's move, the timeline's frames";

const PROGRAM = fileURLToPath(new URL("../../bin/llmsim.js", import.meta.url));
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where Chromium is; undefined without one. `LLMSIM_CHROMIUM` names another. */
function chromiumPath() {
  const own = process.env.LLMSIM_CHROMIUM;
  return (own ? [own] : NAMES)
    .map((name) => spawnSync("which", [name], { encoding: "utf8" }).stdout.trim())
    .find((path) => path !== "");
}

/** Milliseconds from the request of the page to the charts of its stored result. */
async function firstPicture(browser, address) {
  const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
  // The frame after the stored result has been filled in.
  await page.addInitScript(() => {
    const look = () =>
      document.body?.dataset.stored === "shown"
        ? performance.mark("first picture")
        : requestAnimationFrame(look);
    look();
  });
  await page.goto(address);
  await page.waitForFunction(() => performance.getEntriesByName("first picture").length > 0);
  const ms = await page.evaluate(() => performance.getEntriesByName("first picture")[0].startTime);
  return { page, ms };
}

/** Milliseconds from a key on the slider of λ to charts that have been drawn again. */
const afterSlider = (page) =>
  page.evaluate(async () => {
    const charts = document.getElementById("charts");
    const slider = document.getElementById("lam-slider");
    const before = charts.dataset.drawn;
    const from = performance.now();
    slider.value = String(Number(slider.value) * 1.01 + Number(slider.step || 0));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    while (charts.dataset.drawn === before) await new Promise(requestAnimationFrame);
    return performance.now() - from;
  });

/** Frames a second of the timeline while it plays. */
async function framesPerSecond(page, seconds) {
  const frames = () => page.evaluate(() => Number(document.getElementById("timeline").dataset.frames));
  await page.click("#play");
  const [before, from] = [await frames(), performance.now()];
  await page.waitForTimeout(1000 * seconds);
  const [after, until] = [await frames(), performance.now()];
  return (1000 * (after - before)) / (until - from);
}

export async function run({ isSmoke, say }) {
  const executablePath = chromiumPath();
  if (executablePath === undefined) return say("no Chromium here: left out");
  const { chromium } = await import("playwright-core");
  const folder = temporaryFolder();
  const small = isSmoke ? ["--tmax", "100", "--ntrials", "2"] : [];
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, "explore", "--quiet", ...small], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`llmsim explore: exit code ${status}: ${stderr}`);
  const address = pathToFileURL(join(folder, "data/explore.html")).href;
  const browser = await chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  try {
    const first = [];
    const moved = [];
    let frames = NaN;
    for (let round = 0; round < (isSmoke ? 1 : 5); round++) {
      const { page, ms } = await firstPicture(browser, address);
      first.push(ms);
      await page.waitForFunction(() => document.body.dataset.state === "done");
      for (let i = 0; i < (isSmoke ? 1 : 5); i++) {
        moved.push(await afterSlider(page));
        await page.waitForFunction(() => document.body.dataset.state === "done");
      }
      frames = await framesPerSecond(page, isSmoke ? 0.3 : 3);
      await page.close();
    }
    assertMeasured({ first: median(first), moved: median(moved), frames });
    say(
      table([
        ["", "", "median"],
        ["first picture, from a stored result", "ms", wanted(median(first), "≤", 1000, 0)],
        ["curves after a slider's move", "ms", wanted(median(moved), "≤", 100, 0)],
        ["timeline of up to 10,000 iterations", "frames/s", wanted(frames, "≥", 60, 0)],
      ]),
    );
  } finally {
    await browser.close();
  }
}
