/**
 * Draws an animation of a timeline as a GIF: the same drawing as on the page, on the canvas package, whose encoder
 * (the gif crate) it also is. A frame holds only the rectangle that has changed, so 300 of them stay small.
 */
import { draw, FONT_FAMILY, heightOf, type Lane, LIGHT } from "../charts/index.js";
import { fontedCanvas } from "./png.js";

const WIDTH = 960;
const HEAD = 26;
const FRAME_MS = 60;
/** The last picture stays this long before it begins again. */
const LAST_MS = 4000;

/** What is animated. */
export interface GifSubject {
  readonly lanes: readonly Lane[];
  /** Seconds from the left edge to the right, and how many pictures it takes to get there. */
  readonly seconds: number;
  readonly frames: number;
  readonly heading: string;
}

/** A rectangle of pixels. */
interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The least rectangle outside of which two pictures are the same; undefined when they are the same. */
export function changed(before: Uint32Array, after: Uint32Array, width: number): Rectangle | undefined {
  let [left, right, top, bottom] = [width, -1, -1, -1];
  for (let i = 0; i < after.length; i++) {
    if (before[i] === after[i]) continue;
    const x = i % width;
    const y = (i - x) / width;
    if (x < left) left = x;
    if (x > right) right = x;
    if (top < 0) top = y;
    bottom = y;
  }
  return top < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** The animation, and its last picture. */
export async function renderGif({
  lanes,
  seconds,
  frames,
  heading,
}: GifSubject): Promise<{ gif: Buffer; still: Buffer }> {
  const { createCanvas, GifEncoder } = await fontedCanvas();
  const height = HEAD + heightOf(lanes);
  const canvas = createCanvas(WIDTH, height);
  const pen = canvas.getContext("2d");
  const paint = (playhead: number): Uint8ClampedArray<ArrayBuffer> => {
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = LIGHT.back;
    pen.fillRect(0, 0, WIDTH, height);
    pen.fillStyle = LIGHT.ink;
    pen.font = `bold 15px ${FONT_FAMILY}`;
    pen.textAlign = "left";
    pen.textBaseline = "top";
    pen.fillText(heading, 8, 6);
    pen.setTransform(1, 0, 0, 1, 0, HEAD);
    draw(pen, lanes, {
      from: 0,
      to: seconds,
      width: WIDTH,
      theme: LIGHT,
      font: FONT_FAMILY,
      playhead,
      revealing: true,
    });
    return pen.getImageData(0, 0, WIDTH, height).data as Uint8ClampedArray<ArrayBuffer>;
  };
  const encoder = new GifEncoder(WIDTH, height, { repeat: 0, quality: 1 });
  let before: Uint32Array | undefined;
  // A frame that changes nothing lengthens the one before it.
  let pending: { pixels: Uint8Array; place: Rectangle; delay: number } | undefined;
  const flush = (): void => {
    if (!pending) return;
    const { pixels, place, delay } = pending;
    encoder.addFrame(pixels, place.width, place.height, { delay, left: place.left, top: place.top });
  };
  for (let f = 1; f <= frames; f++) {
    const pixels = paint((seconds * f) / frames);
    const words = new Uint32Array(pixels.buffer, pixels.byteOffset, WIDTH * height);
    const place = before ? changed(before, words, WIDTH) : { left: 0, top: 0, width: WIDTH, height };
    const delay = f === frames ? LAST_MS : FRAME_MS;
    if (!place) {
      if (pending) pending = { ...pending, delay: pending.delay + delay };
      continue;
    }
    flush();
    pending = { pixels: cropped(pixels, WIDTH, place), place, delay };
    before = words.slice();
  }
  flush();
  return { gif: encoder.finish(), still: canvas.toBuffer("image/png") };
}

function cropped(pixels: Uint8ClampedArray, width: number, place: Rectangle): Uint8Array {
  const part = new Uint8Array(4 * place.width * place.height);
  for (let y = 0; y < place.height; y++) {
    const from = 4 * ((place.top + y) * width + place.left);
    part.set(pixels.subarray(from, from + 4 * place.width), 4 * y * place.width);
  }
  return part;
}
