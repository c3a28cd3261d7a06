/** A real browser for the tests of the page: the system's Chromium, or a reason why there is none. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where Chromium is; undefined when there is none. `LLMSIM_CHROMIUM` names another. */
export function chromiumPath(): string | undefined {
  const { LLMSIM_CHROMIUM: own, PATH = "" } = process.env;
  const places = own
    ? [own]
    : PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export const WHY_SKIPPED = "no Chromium here (apt-get install chromium, or LLMSIM_CHROMIUM=path)";

/** A browser that has not done by then what it was asked for hangs. */
const PATIENCE_MS = 200_000;

/** Root may not use the sandbox. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath()!,
    timeout: PATIENCE_MS,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });

/** The page in a new tab, everything that it complains of, and every address that it asks for. */
export async function opened(
  browser: Browser,
  file: string,
  hash = "",
  options: { readonly width?: number; readonly dark?: boolean } = {},
): Promise<{ page: Page; complaints: string[]; addresses: string[] }> {
  const page = await browser.newPage({
    viewport: { width: options.width ?? 1300, height: 900 },
    colorScheme: options.dark ? "dark" : "light",
  });
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  const addresses: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => addresses.push(request.url().replace(/[#?].*/, "")));
  await page.goto(pathToFileURL(file).href + hash);
  return { page, complaints, addresses };
}

/** The page goes to another of its addresses, as by a link: a fifth of what opening it anew takes. */
export const goTo = (page: Page, hash: string): Promise<void> =>
  page.evaluate(
    (wanted) =>
      new Promise((resolve) => {
        if (location.hash === wanted) resolve();
        // The page has heard of it first.
        addEventListener("hashchange", () => resolve(), { once: true });
        location.hash = wanted;
      }),
    hash,
  );

/** Waits until the page's trials are in this state. */
export const settled = async (page: Page, state = "done"): Promise<void> =>
  void (await page.waitForFunction((wanted) => document.body.dataset.state === wanted, state));

/** What the timeline says of its last frame. */
export async function frameOf(
  page: Page,
): Promise<Record<"iterations" | "marks" | "at" | "from" | "to" | "frames", number>> {
  const said = await page.evaluate(() => ({ ...document.getElementById("timeline")!.dataset }));
  return Object.fromEntries(Object.entries(said).map(([key, value]) => [key, Number(value)])) as never;
}
