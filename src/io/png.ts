/**
 * Draws a Vega-Lite spec as a PNG, with fonts that come along, so that it needs none from the system:
 * same spec, same bytes.
 *
 * Vega, Vega-Lite and the canvas load only here and only when a figure is drawn (250 ms). DejaVu Sans is
 * registered under a private family before Vega measures its first text; without it text would be
 * silently missing. Warnings of Vega are errors unless the caller takes them: a broken spec must not pass.
 */
import { createRequire } from "node:module";
import type * as canvasPackage from "canvas";
import type { TopLevelSpec } from "vega-lite";

/** The family that the charts' theme names first (charts/theme.ts; a test keeps the two equal). */
export const FONT_FAMILY = "llmsim Sans";

export interface PngOptions {
  /** Pixels per unit of the spec. Default 2, sharp on today's screens. */
  readonly scale?: number;
  /** Takes the warnings of Vega and Vega-Lite; without it the first one is thrown. */
  readonly onWarning?: (message: string) => void;
}

/** The font files, regular and bold, registered as two weights of one family. */
const FONT_FILES = ["dejavu-fonts-ttf/ttf/DejaVuSans.ttf", "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf"];

type Modules = Awaited<ReturnType<typeof load>>;
let loaded: Promise<Modules> | undefined;

async function load() {
  // The fonts first: Vega keeps the widths it measures.
  const canvas = await import("canvas");
  registerFonts((path) => canvas.GlobalFonts.registerFromPath(path, FONT_FAMILY));
  const [vega, vegaLite] = await Promise.all([import("vega"), import("vega-lite")]);
  return { canvas, vega, vegaLite };
}

/**
 * Registers the fonts with `register`, which returns null on failure. Only `renderPng` and tests call it.
 */
export function registerFonts(
  register: (path: string) => unknown,
  resolve: (name: string) => string = createRequire(import.meta.url).resolve,
): void {
  for (const file of FONT_FILES) {
    let path: string;
    try {
      path = resolve(file);
    } catch (cause) {
      throw new Error(`cannot draw figures: font not found: ${file} (run npm install again)`, { cause });
    }
    if (register(path) === null) throw new Error(`cannot draw figures: font not readable: ${path}`);
  }
}

/** The canvas package with our fonts registered; other drawings than charts are made with it, too. */
export const fontedCanvas = async (): Promise<typeof canvasPackage> => (await (loaded ??= load())).canvas;

/** Compiles a spec and lets `take` make a picture of it; what Vega warns of goes the caller's way. */
async function rendered<T>(
  spec: TopLevelSpec,
  { onWarning }: Pick<PngOptions, "onWarning">,
  take: (view: InstanceType<Modules["vega"]["View"]>, modules: Modules) => Promise<T>,
): Promise<T> {
  const modules = await (loaded ??= load());
  const { vega, vegaLite } = modules;
  const warnings: string[] = [];
  const logger = collectingLogger(warnings);
  const compiled = vegaLite.compile(spec, { logger, config: { font: FONT_FAMILY } }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none", logger });
  try {
    const picture = await take(view, modules);
    for (const warning of warnings) {
      if (onWarning === undefined) throw new Error(`the chart is not drawn as specified: ${warning}`);
      onWarning(warning);
    }
    return picture;
  } finally {
    view.finalize();
  }
}

/** The spec as a PNG file. */
export const renderPng = (spec: TopLevelSpec, options: PngOptions = {}): Promise<Buffer> =>
  rendered(spec, options, async (view, { canvas }) => {
    const drawn = (await view.toCanvas(options.scale ?? 2)) as unknown;
    // Two copies of the canvas package: Vega would draw with one that does not know our fonts.
    if (!(drawn instanceof canvas.Canvas)) {
      throw new Error(
        "cannot draw figures: vega does not use the canvas package of llmsim (run npm install again)",
      );
    }
    return drawn.toBuffer("image/png");
  });

/** The spec as an SVG document; its texts are in the reader's own font where ours is not installed. */
export const renderSvg = (spec: TopLevelSpec, options: Pick<PngOptions, "onWarning"> = {}): Promise<string> =>
  rendered(spec, options, (view) => view.toSVG());

/** A logger in Vega's shape that keeps warnings and errors and drops the rest. */
function collectingLogger(messages: string[]) {
  const keep = (...parts: readonly unknown[]) => {
    messages.push(parts.map(String).join(" "));
    return logger;
  };
  const drop = () => logger;
  // Vega asks for the level, or sets it and goes on with the logger.
  function level(value: number): typeof logger;
  function level(): number;
  function level(value?: number): unknown {
    return value === undefined ? WARN : logger;
  }
  const logger = { level, error: keep, warn: keep, info: drop, debug: drop };
  return logger;
}

/** vega.Warn, before vega is loaded. */
const WARN = 2;
