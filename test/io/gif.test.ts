/** `animate`: the same bytes twice, small, and each policy's first stall where one looks for it. */
import { readFileSync } from "node:fs";
import { createCanvas, loadImage } from "canvas";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { LIGHT } from "../../src/charts/index.js";
import { changed } from "../../src/io/gif.js";
import { llmsim, test } from "../cli/session.js";

/** How many pixels of a picture have a colour, by the band of a third of its height that they are in. */
function pixelsOf(image: Awaited<ReturnType<typeof loadImage>>, color: string): number[] {
  const canvas = createCanvas(image.width, image.height);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  const wanted = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const counts = [0, 0, 0];
  // Below the heading and above the axis of time.
  const [from, until] = [26, image.height - 24];
  for (let y = from; y < until; y++)
    for (let x = 0; x < image.width; x++) {
      const at = 4 * (y * image.width + x);
      if (wanted.every((part, i) => data[at + i] === part))
        counts[Math.floor((3 * (y - from)) / (until - from))]!++;
    }
  return counts;
}

/** LLMSIM_LONG=1 draws as many as the command does by itself. */
const ITERATIONS = process.env.LLMSIM_LONG === "1" ? 300 : 100;

describe("animate", () => {
  test("is under 5 MB for 300 iterations, and fewer accordingly, with every first stall in its last picture, and the same bytes twice", async ({
    folder: cwd,
  }) => {
    const run = async (figs: string, flags = "") => {
      const { code, stdout } = await llmsim(`animate --quiet --json --out-figs ${figs}${flags}`, { cwd });
      expect(code).toBe(0);
      return {
        said: (JSON.parse(stdout) as { results: { first_stall: { kind: string } }[] }).results,
        gif: readFileSync(join(cwd, figs, "demo2_timeline.gif")),
        still: readFileSync(join(cwd, figs, "demo2_timeline.png")),
      };
    };
    const { said, gif, still } = await run("one", ` --iterations ${ITERATIONS}`);
    const [first, again] = [await run("two", " --iterations 8"), await run("three", " --iterations 8")];
    expect(again.gif.equals(first.gif)).toBe(true);
    expect(again.still.equals(first.still)).toBe(true);
    expect(gif.subarray(0, 6).toString("latin1")).toBe("GIF89a");
    expect(gif.length).toBeLessThan((5e6 * ITERATIONS) / 300);
    expect(said.map(({ first_stall: stall }) => stall.kind)).toEqual([
      "prompts wait",
      "decodes wait",
      "tokens late",
    ]);
    // Each policy's own colour of stall, in its own lane; a lane's first stall is marked over its whole height.
    const image = await loadImage(still);
    for (const [lane, color] of [LIGHT.waiting, LIGHT.stall, LIGHT.late].entries())
      expect([lane, pixelsOf(image, color)[lane]! > 100]).toEqual([lane, true]);
    expect(pixelsOf(image, LIGHT.stall)[0]).toBe(0);
    expect(pixelsOf(image, LIGHT.late)[1]).toBe(0);
  });

  test("needs a request to show", async ({ folder: cwd }) => {
    const { code, stdout } = await llmsim("animate --quiet --lam 0.001 --tmax 0.01", { cwd });
    expect([code, stdout.split("\n")[0]]).toEqual([0, "no request arrives: there is nothing to show"]);
  });
});

describe("what changes between two pictures", () => {
  const picture = (...words: number[]): Uint32Array => Uint32Array.from(words);
  test("is the least rectangle around it", () => {
    expect(changed(picture(0, 0, 0, 0, 0, 0), picture(0, 0, 0, 0, 0, 0), 3)).toBeUndefined();
    expect(changed(picture(0, 0, 0, 0, 0, 0), picture(0, 0, 1, 0, 2, 0), 3)).toEqual({ left: 1, top: 0, width: 2, height: 2 }); // prettier-ignore
  });
});
