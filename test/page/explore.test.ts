/** The explorer's page in a real browser: what it shows is what the command line says, and it stays quick and safe. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Lane } from "../../src/charts/index.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import { LaneRecorder } from "../../src/experiments/explore/recording.js";
import { prepare } from "../../src/core/configuration/check-config.js";
import type { PartialConfig } from "../../src/core/configuration/config.js";
import { llmsim } from "../cli/session.js";
import { chromiumPath, frameOf, goTo, launch, opened, settled, WHY_SKIPPED } from "./browser.js";

const SMALL = "#scenario=demo2&tmax=100&ntrials=3";
const isSkipped = chromiumPath() === undefined;
const folder = mkdtempSync(join(tmpdir(), "llmsim-page-"));
const file = join(folder, "data/explore.html");
let browser: Browser;
/** One page for most tests: it takes two seconds to open. */
let shared: Awaited<ReturnType<typeof opened>>;
/** And one in a narrow and dark window, opened by the first who asks for it, at an address of its own. */
let narrow: Promise<Page> | undefined;
const OWN_ADDRESS =
  "#scenario=demo3&scheduler=hybrid,vllm&chunk-size=32&ratio=0.3&seed=9&tmax=60&ntrials=2&conventions=standard";
const openedNarrow = (): Promise<Page> =>
  (narrow ??= opened(browser, file, OWN_ADDRESS, { width: 390, dark: true }).then(({ page }) => page));

beforeAll(async () => {
  const { code, stderr } = await llmsim("explore --tmax 100 --ntrials 3 --workers 0 --quiet", {
    cwd: folder,
  });
  expect([code, stderr]).toEqual([0, ""]);
  if (isSkipped) return;
  browser = await launch();
  shared = await opened(browser, file);
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

describe("the file", () => {
  const html = (): string => readFileSync(file, "utf8");

  test("is one file under 4 MB that names no other and lets only its own program run", () => {
    expect(statSync(file).size).toBeLessThan(4e6);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html())![1]!;
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/=]+'; worker-src blob:; style-src 'sha256-/,
    );
    expect(policy).not.toMatch(/unsafe|http|\*/);
    expect(html().replace(/<script[\s\S]*?<\/script>|<pre>[\s\S]*?<\/pre>/g, "")).not.toMatch(
      /https?:|src="|@import/,
    );
  });

  test("is the same for the same command, and says whose code it holds", async () => {
    const before = html();
    await llmsim("explore --tmax 100 --ntrials 3 --workers 0 --quiet", { cwd: folder });
    expect(html()).toBe(before);
    for (const name of ["uplot", "seedrandom", "simple-statistics"])
      expect(before.slice(before.indexOf("<pre>"))).toContain(`${name} `);
  });
});

describe.skipIf(isSkipped)(`in Chromium${isSkipped ? `: ${WHY_SKIPPED}` : ""}`, () => {
  test("opens from a file without a complaint, asks for nothing else, and runs nothing that is put into it", async () => {
    const { page, complaints, addresses } = shared;
    await settled(page);
    expect(complaints).toEqual([]);
    expect(addresses.filter((address) => !/^(blob|data):/.test(address))).toHaveLength(1);
    expect(await page.textContent("#answer")).toMatch(/has the lowest P95 response time/);
    expect(await page.evaluate(() => document.body.dataset.stored)).toBe("shown");
    const refused = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.body.dataset.injected = 'yes'";
      document.body.append(script);
      return document.body.dataset.injected ?? "no";
    });
    expect(refused).toBe("no");
  });
});

/** The lane that the page records of this scheduler. */
function recorded(kind: string): Lane {
  const { workload, service, engine } = JSON.parse(
    readFileSync("data/scenarios/demo2.json", "utf8"),
  ) as PartialConfig;
  const config = prepare({
    workload,
    service,
    engine: engine!,
    scheduler: { kind },
    horizon: { tmaxSeconds: 100 },
  });
  const simulator = new Simulator();
  const recorder = new LaneRecorder(10_000);
  const outcome = simulator.run(config, simulator.draw(config, 1, 1), {
    seed: 1,
    trial: 1,
    observer: recorder,
  });
  return recorder.lane(kind, outcome);
}

describe.skipIf(isSkipped)("in Chromium: its timeline and controls", () => {
  const lanes = ["decode-prioritizing", "prefill-prioritizing", "hybrid"].map(recorded);
  const inView = (from: number, to: number): number =>
    lanes.reduce(
      (sum, { startAt, endAt }) => sum + startAt.filter((at, i) => at < to && endAt[i]! > from).length,
      0,
    );

  let page: Page;
  beforeAll(async () => {
    ({ page } = shared);
    await settled(page);
  });

  test("draws no more than the iterations in view, however many there are", async () => {
    await page.waitForFunction(() => document.getElementById("timeline")!.dataset.iterations !== undefined);
    for (const button of ["#closer", "#wider", "#wider", "#whole"]) {
      const { frames } = await frameOf(page);
      await page.click(button);
      await page.waitForFunction(
        (n) => Number(document.getElementById("timeline")!.dataset.frames) > n,
        frames,
      );
      const { iterations, marks, from, to } = await frameOf(page);
      expect(iterations).toBe(inView(from, to));
      expect(marks).toBeLessThanOrEqual(iterations);
    }
    const { marks, iterations } = await frameOf(page);
    expect(iterations).toBeGreaterThan(10_000);
    expect(marks).toBeLessThan(3 * 1300);
  });

  test("plays, pauses, and steps by iteration", async () => {
    await page.focus("#timeline");
    const at = async (): Promise<number> => (await frameOf(page)).at;
    const starts = lanes.flatMap(({ startAt }) => [...startAt]).sort((a, b) => a - b);
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
    const distinct = [...new Set(starts)].filter((start) => start > 0);
    await expect.poll(at).toBe(distinct[2]);
    expect(await page.textContent("#now")).toMatch(/prefill-prioritizing: iteration \d+, .*decodes|prefills/);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(at).toBe(distinct[1]);
    await page.keyboard.press("Space");
    await expect.poll(at).toBeGreaterThan(distinct[1]! + 0.05);
    await page.keyboard.press("Space");
    await frames(page, 2); // what was under way is drawn
    const paused = await at();
    await frames(page, 10);
    expect(await at()).toBe(paused);
  });

  test("tells a request's life where the pointer is", async () => {
    await page.waitForFunction(() => document.getElementById("timeline")!.dataset.to !== undefined);
    const { from, to } = await frameOf(page);
    await page.locator("#timeline").scrollIntoViewIfNeeded();
    const box = (await page.locator("#timeline").boundingBox())!;
    // The first prompt of all, just above the axis of the first lane.
    const first = lanes[0]!;
    const middle = (first.startAt[0]! + first.endAt[0]!) / 2;
    const x = box.x + 8 + ((middle - from) / (to - from)) * (box.width - 16);
    await page.mouse.move(x, box.y + 20 + 38 - 1);
    const tip = (await page.textContent("#tip"))!;
    expect(tip).toContain("request #0, prompt of");
    expect(tip).toMatch(/waited 0 s, prefilled in one chunk, first token after/);
  });

  test("everything that can be worked has a name, and a key reaches it", async () => {
    const nameless = await page.$$eval("button, input, select, canvas", (all) =>
      all
        .filter((one) => {
          const labels = (one as HTMLInputElement).labels;
          return !one.getAttribute("aria-label") && !labels?.length && !one.textContent?.trim();
        })
        .map((one) => one.outerHTML)
        // The charts' own canvases stand in figures that are named.
        .filter((html) => !/<canvas(?! id)/.test(html)),
    );
    expect(nameless).toEqual([]);
    // The page notes where the keys go: asking it after each of them took as long again.
    const reached = await page.evaluateHandle(() => {
      const ids = new Set<string>();
      addEventListener("focusin", ({ target }) => ids.add((target as Element).id));
      return ids;
    });
    for (let i = 0; i < 60; i++) await page.keyboard.press("Tab");
    const ids = await reached.evaluate((noted) => [...noted]);
    for (const id of ["lam", "lam-slider", "copy", "play", "timeline", "scrub"]) expect(ids).toContain(id);
  });
});

/** Lets the page draw so many frames. */
const frames = (page: Page, count: number): Promise<void> =>
  page.evaluate(async (count) => {
    for (let i = 0; i < count; i++) await new Promise(requestAnimationFrame);
  }, count);

describe.skipIf(isSkipped)("in Chromium, at other addresses", () => {
  test.each([
    ["goes to", "--lam 3", "#scenario=demo2&lam=3&tmax=100&ntrials=3"],
    ["opens at", "--seed 9", OWN_ADDRESS],
  ])(
    "%s the address with %s: its numbers are those of the command that it gives, to the last bit",
    async (how, flag, hash) => {
      const page = how === "opens at" ? await openedNarrow() : shared.page;
      await goTo(page, hash);
      await settled(page);
      const command = (await page.textContent("#command"))!;
      expect(command).toContain(flag);
      const { code, stdout } = await llmsim(`${command.replace(/^llmsim /, "")} --json --workers 0`, {
        cwd: folder,
      });
      expect(code).toBe(0);
      const { results } = JSON.parse(stdout) as {
        results: {
          scheduler: string;
          ratio: number | null;
          metrics: Record<string, { mean: number | null }>;
        }[];
      };
      const shown = await page.$$eval("td[data-metric]", (cells) =>
        cells.map((cell) => ({ ...(cell as HTMLElement).dataset }) as Record<string, string>),
      );
      expect(shown).toHaveLength(results.length * Object.keys(results[0]!.metrics).length);
      for (const { metric, scheduler, mean } of shown) {
        const { metrics } = results.find((one) => scheduler!.startsWith(one.scheduler))!;
        expect([metric, scheduler, mean]).toEqual([metric, scheduler, String(metrics[metric!]!.mean ?? NaN)]);
      }
    },
  );

  test("a slider changes address, command, answer and charts", async () => {
    const { page, complaints } = shared;
    const already = [...complaints];
    await goTo(page, SMALL);
    await settled(page);
    const look = () =>
      page.evaluate(() => ({
        drawn: Number(document.getElementById("charts")!.dataset.drawn),
        answer: document.getElementById("answer")!.textContent,
        picture: (document.querySelector("#charts canvas") as HTMLCanvasElement).toDataURL(),
        load: document.getElementById("load-text")!.textContent,
      }));
    const before = await look();
    await page.focus("#lam-slider");
    for (let i = 0; i < 12; i++) await page.keyboard.press("ArrowRight");
    await settled(page);
    const after = await look();
    expect(after.drawn).toBeGreaterThan(before.drawn);
    for (const key of ["answer", "picture", "load"] as const) expect(after[key]).not.toBe(before[key]);
    const lam = await page.inputValue("#lam");
    expect(Number(lam)).toBeGreaterThan(2);
    expect(page.url()).toContain(`lam=${lam}`);
    expect(await page.textContent("#command")).toContain(`--lam ${lam}`);
    expect(complaints).toEqual(already);
  });

  test("nonsense in the address is told beside its control, in the command line's words", async () => {
    const { page } = shared;
    await goTo(page, "#scenario=demo2&lam=-3&chunk-size=zero&ratio=2&tmax=1e99");
    await settled(page, "refused");
    const { stderr } = await llmsim("run --scenario demo2 --lam -3 --chunk-size zero --ratio 2 --tmax 1e99", {
      cwd: folder,
    });
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/^error: /, ""));
    const told = await page.$$eval(".problem:not([hidden])", (all) => all.map((one) => one.textContent));
    expect(told.sort()).toEqual(lines.sort());
    for (const flag of ["lam", "chunk-size", "ratio", "tmax"]) {
      expect(lines).toContain(await page.textContent(`#problem-${flag}`));
      expect(await page.getAttribute(`#${flag}`, "aria-invalid")).toBe("true");
    }
    expect(await page.textContent("#status")).toMatch(/not simulated/);
    await page.fill("#lam", "2");
    expect(await page.isHidden("#problem-lam")).toBe(true);
  });

  test("unknown names are told, and what they say is only text", async () => {
    const evil = "<img src=x onerror=alert(1)>";
    const { page } = shared;
    await goTo(page, `#scenario=${encodeURIComponent(evil)}&lamb=3`);
    await settled(page, "refused");
    expect(await page.textContent("#problem-scenario")).toContain(`unknown scenario: ${evil}`);
    expect(await page.textContent("#errors")).toBe("unknown setting: lamb — did you mean lam?");
    expect(await page.$("img")).toBeNull();
  });

  test("a scenario may be called anything: its name is a name", async () => {
    const name = `<script>alert(1)<!--`;
    writeFileSync(join(folder, `${name}.json`), readFileSync("data/scenarios/demo2.json"));
    const argv = [
      "explore",
      "--scenario",
      `./${name}.json`,
      "--tmax",
      "50",
      "--ntrials",
      "2",
      "--workers",
      "0",
      "--quiet",
    ];
    const out = ["--out-data", "named"];
    expect((await llmsim([...argv, ...out], { cwd: folder })).code).toBe(0);
    const { page, complaints } = await opened(browser, join(folder, "named/explore.html"));
    await settled(page);
    expect(complaints).toEqual([]);
    expect(await page.inputValue("#scenario")).toBe(`${name} as given`);
    const command = (await page.textContent("#command"))!;
    expect(command).toBe(`llmsim run --scenario './${name}.json' --tmax 50 --ntrials 2`);
    await page.close();
  });

  test("settings too large are refused, large ones can be cancelled, and the page answers meanwhile", async () => {
    const { page } = shared;
    await goTo(page, "#scenario=demo2&lam=30&tmax=900000");
    await settled(page, "refused");
    expect(await page.textContent("#problem-lam")).toMatch(/too many requests for a browser/);
    await goTo(page, "#scenario=demo2&lam=10&tmax=100000&ntrials=50");
    await settled(page, "running");
    // The page's own thread has its turns while its workers simulate; if it did so itself, they would be over by then.
    const states = await page.evaluate(async () => {
      const seen = new Set<string | undefined>();
      for (let turn = 0; turn < 50; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        seen.add(document.body.dataset.state);
      }
      return [...seen];
    });
    expect(states).toEqual(["running"]);
    await page.click("#cancel");
    await settled(page, "cancelled");
    // A problem in there has opened it.
    if (!(await page.isVisible("#tmax"))) await page.click("#settings summary");
    await page.fill("#tmax", "50");
    await page.fill("#ntrials", "2");
    await settled(page);
  });

  test("fits narrow and wide windows, light and dark", async () => {
    for (const [page, width, dark] of [
      [await openedNarrow(), 390, true],
      [shared.page, 1300, false],
    ] as const) {
      await goTo(page, SMALL);
      await settled(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      const [back, ink] = await page.evaluate(() => {
        const style = getComputedStyle(document.body);
        return [style.backgroundColor, style.color].map((color) => /\d+/.exec(color)![0]);
      });
      expect(Number(back) < Number(ink)).toBe(dark);
    }
  });
});
