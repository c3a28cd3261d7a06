/**
 * Draws lanes of iterations under one axis of time: prompt tokens upwards, decodes downwards, a strip where something
 * stalls, and the queue below. Iterations narrower than a pixel are gathered by column, so that a frame costs no more
 * than the iterations in view and no more marks than the picture has columns.
 */
import { firstStall, stallOf, type StallKind } from "./stall.js";
import { holds, iterationAt, type Lane } from "./lane.js";
import type { Pen, TimelineTheme } from "./pen.js";
import { DOWN, fall, rise, type Tops, topsOf, UP } from "./tops.js";
import { time } from "./words.js";

export interface View {
  /** Seconds at the left and right edge. */
  readonly from: number;
  readonly to: number;
  /** Width of the whole picture in pixels. */
  readonly width: number;
  readonly theme: TimelineTheme;
  readonly font: string;
  /** Where time stands; a line marks it. */
  readonly playhead?: number;
  /** Nothing after the playhead is drawn. */
  readonly revealing?: boolean;
  /** The request to outline. */
  readonly selected?: number;
}

export interface Drawn {
  /** Iterations looked at for this frame, over all lanes. */
  readonly iterations: number;
  /** Marks drawn for them. */
  readonly marks: number;
}

const LEFT = 8;
const RIGHT = 8;
const AXIS = 24;
const TITLE = 20;
const STRIP = 5;
const QUEUE = 30;
const GAP = 14;
const LANE = TITLE + UP + DOWN + STRIP + QUEUE + GAP;
/** An iteration at least this wide is drawn by itself, and one this wide shows its requests. */
const ALONE = 2;
const BY_REQUEST = 6;
const LABEL_WIDTH = 26;
const MOST_ROWS = 26;
/** On a phone's width the label leaves little room beside it. */
const NARROW = 560;

export const heightOf = (lanes: readonly Lane[]): number => lanes.length * LANE + AXIS;

const kindColor = (theme: TimelineTheme, kind: StallKind): string =>
  kind === "decodes wait" ? theme.stall : kind === "prompts wait" ? theme.waiting : theme.late;

/** Pixels of an instant, and back. */
const xOf = ({ from, to, width }: View, at: number): number =>
  LEFT + ((at - from) / (to - from)) * (width - LEFT - RIGHT);
const atOf = ({ from, to, width }: View, x: number): number =>
  from + ((x - LEFT) / (width - LEFT - RIGHT)) * (to - from);

/** Draws one frame. The pen's units are CSS pixels; `lanes` is kept by identity for what only they decide. */
export function draw(pen: Pen, lanes: readonly Lane[], view: View): Drawn {
  const { theme, width } = view;
  pen.fillStyle = theme.back;
  pen.fillRect(0, 0, width, heightOf(lanes));
  drawAxis(pen, lanes, view);
  let iterations = 0;
  let marks = 0;
  lanes.forEach((lane, l) => {
    const drawn = drawLane(pen, lane, topsOf(lanes), l * LANE, view);
    iterations += drawn.iterations;
    marks += drawn.marks;
  });
  if (view.playhead !== undefined && view.playhead >= view.from && view.playhead <= view.to) {
    const x = Math.round(xOf(view, view.playhead));
    pen.fillStyle = theme.ink;
    pen.fillRect(x, 2, 1, heightOf(lanes) - AXIS - 2);
  }
  return { iterations, marks };
}

const STEPS = [1, 2, 5];

/** A round step that leaves at least `space` pixels between two ticks. */
function stepFor(secondsPerPixel: number, space: number): number {
  for (let unit = 1e-6; ; unit *= 10)
    for (const step of STEPS) if (step * unit >= space * secondsPerPixel) return step * unit;
}

function drawAxis(pen: Pen, lanes: readonly Lane[], view: View): void {
  const { from, to, width, theme } = view;
  const bottom = lanes.length * LANE;
  const step = stepFor((to - from) / (width - LEFT - RIGHT), 80);
  const decimals = [0, 1, 2, 3, 4, 5].find((digits) => Number(step.toFixed(digits)) === step) ?? 6;
  pen.font = `11px ${view.font}`;
  pen.textBaseline = "top";
  for (let tick = Math.ceil(from / step); tick * step <= to; tick++) {
    const x = Math.round(xOf(view, tick * step));
    pen.fillStyle = theme.grid;
    pen.fillRect(x, TITLE, 1, bottom - TITLE);
    pen.fillStyle = theme.muted;
    pen.textAlign = x > width - 40 ? "right" : x < 24 ? "left" : "center";
    pen.fillText(`${(tick * step).toFixed(decimals)} s`, x, bottom + 2);
  }
}

function drawLane(pen: Pen, lane: Lane, tops: Tops, top: number, view: View): Drawn {
  const { theme } = view;
  const until = view.revealing && view.playhead !== undefined ? Math.min(view.to, view.playhead) : view.to;
  const axis = top + TITLE + UP;
  pen.fillStyle = theme.muted;
  pen.fillRect(LEFT, axis, view.width - LEFT - RIGHT, 1);
  const first = iterationAt(lane, view.from);
  let last = first;
  while (last < lane.count && lane.startAt[last] < until) last++;
  let marks = 0;
  let usual = usualBefore(lane, first);
  let column = -1;
  let gathered = { prefill: 0, decodes: 0, kind: undefined as StallKind | undefined };
  const flush = (): void => {
    if (column < 0) return;
    bars(pen, gathered.prefill, gathered.decodes, gathered.kind, column, 1, axis, tops, theme);
    marks++;
    column = -1;
    gathered = { prefill: 0, decodes: 0, kind: undefined };
  };
  for (let i = first; i < last; i++) {
    const left = Math.max(LEFT, xOf(view, lane.startAt[i]));
    const right = Math.min(view.width - RIGHT, xOf(view, Math.min(lane.endAt[i], until)));
    const kind = stallOf(lane, i, usual);
    if (lane.prefill[i] === 0) usual = lane.endAt[i] - lane.startAt[i];
    if (right - left < ALONE) {
      const at = Math.floor(left);
      if (at !== column) flush();
      column = at;
      gathered.prefill = Math.max(gathered.prefill, lane.prefill[i]);
      gathered.decodes = Math.max(gathered.decodes, lane.decodes[i]);
      gathered.kind ??= kind;
      continue;
    }
    flush();
    const gap = right - left > 4 ? 1 : 0;
    if (right - left >= BY_REQUEST) byRequest(pen, lane, i, left, right - left - gap, axis, tops, view);
    else bars(pen, lane.prefill[i], lane.decodes[i], undefined, left, right - left - gap, axis, tops, theme);
    if (kind) strip(pen, kind, left, right - left, axis, theme);
    marks++;
  }
  flush();
  queues(pen, lane, first, last, tops, axis + DOWN + STRIP, view, until);
  title(pen, lane, top, view, until);
  return { iterations: last - first, marks };
}

/** The time of the last iteration before i that only decoded. */
function usualBefore(lane: Lane, i: number): number {
  for (let k = i - 1; k >= 0 && k > i - 1000; k--)
    if (lane.prefill[k] === 0) return lane.endAt[k] - lane.startAt[k];
  return Infinity;
}

function bars(
  pen: Pen,
  prefill: number,
  decodes: number,
  kind: StallKind | undefined,
  x: number,
  width: number,
  axis: number,
  tops: Tops,
  theme: TimelineTheme,
): void {
  const up = rise(prefill, tops.prefill);
  pen.fillStyle = theme.prefill[0];
  if (up > 0) pen.fillRect(x, axis - up, width, up);
  const down = fall(decodes, tops.decodes);
  pen.fillStyle = theme.decode[0];
  if (down > 0) pen.fillRect(x, axis + 1, width, down);
  if (kind) strip(pen, kind, x, width, axis, theme);
}

function strip(
  pen: Pen,
  kind: StallKind,
  x: number,
  width: number,
  axis: number,
  theme: TimelineTheme,
): void {
  pen.fillStyle = kindColor(theme, kind);
  pen.fillRect(x, axis + 1 + DOWN, width, STRIP - 1);
}

/** An iteration's parts, a box a request: `visit` gets its id and the box's top and height. */
function parts(
  lane: Lane,
  i: number,
  axis: number,
  tops: Tops,
  visit: (id: number, y: number, height: number, isPrefill: boolean) => void,
): void {
  const up = rise(lane.prefill[i], tops.prefill);
  let y = axis;
  for (let c = lane.chunkFrom[i]; c < lane.chunkFrom[i + 1]; c++) {
    const height = (up * lane.chunkTokens[c]) / lane.prefill[i];
    y -= height;
    visit(lane.chunkId[c], y, height, true);
  }
  const count = lane.decodes[i];
  const down = fall(count, tops.decodes);
  for (let d = 0; d < count; d++)
    visit(lane.decodeId[lane.decodeFrom[i] + d], axis + 1 + (down * d) / count, down / count, false);
}

function byRequest(
  pen: Pen,
  lane: Lane,
  i: number,
  x: number,
  width: number,
  axis: number,
  tops: Tops,
  view: View,
): void {
  const { theme, selected } = view;
  if (lane.decodes[i] + lane.chunkFrom[i + 1] - lane.chunkFrom[i] > MOST_ROWS) {
    bars(pen, lane.prefill[i], lane.decodes[i], undefined, x, width, axis, tops, theme);
    return;
  }
  pen.font = `10px ${view.font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  parts(lane, i, axis, tops, (id, y, height, isPrefill) => {
    pen.fillStyle = (isPrefill ? theme.prefill : theme.decode)[id % 3];
    pen.fillRect(x, y, width, height > 3 ? height - 0.5 : height);
    if (width >= LABEL_WIDTH && height >= 11) {
      pen.fillStyle = theme.back;
      pen.fillText(`#${id}`, x + width / 2, y + height / 2, width - 2);
    }
    if (id === selected) {
      pen.strokeStyle = theme.ink;
      pen.lineWidth = 1.5;
      pen.strokeRect(x + 0.75, y + 0.75, Math.max(0.5, width - 1.5), Math.max(0.5, height - 1.5));
    }
  });
}

function queues(
  pen: Pen,
  lane: Lane,
  first: number,
  last: number,
  tops: Tops,
  top: number,
  view: View,
  until: number,
): void {
  const bottom = top + QUEUE;
  const line = (values: Int32Array, color: string): void => {
    pen.strokeStyle = color;
    pen.lineWidth = 1.5;
    pen.beginPath();
    let y = bottom;
    let atX = -1;
    // Within a column only its first and highest value are joined.
    for (let i = first; i < last; i++) {
      const x = Math.max(LEFT, xOf(view, lane.startAt[i]));
      const next = bottom - (values[i] / tops.queue) * (QUEUE - 4);
      if (i > first && next === y) continue;
      if (i > first && x - atX < 0.5 && next > y) continue;
      if (i === first) pen.moveTo(x, next);
      else {
        pen.lineTo(x, y);
        pen.lineTo(x, next);
      }
      y = next;
      atX = x;
    }
    if (last > first) pen.lineTo(xOf(view, Math.min(until, lane.endAt[last - 1])), y);
    pen.stroke();
  };
  line(lane.resident, view.theme.resident);
  line(lane.waiting, view.theme.waiting);
}

function title(pen: Pen, lane: Lane, top: number, view: View, until: number): void {
  const { theme, font, width } = view;
  pen.textAlign = "left";
  pen.textBaseline = "top";
  pen.font = `bold 13px ${font}`;
  pen.fillStyle = theme.ink;
  pen.fillText(lane.label, LEFT, top + 2);
  const stall = stallIn(lane);
  if (!stall || lane.startAt[stall.from] > until) return;
  const at = lane.startAt[stall.from];
  const x = xOf(view, at);
  pen.font = `11px ${font}`;
  pen.fillStyle = kindColor(theme, stall.kind);
  pen.textAlign = "right";
  const words = `${stall.kind} ${time(stall.seconds)}`;
  pen.fillText(width < NARROW ? words : `first stall at ${time(at)}: ${words}`, width - RIGHT, top + 3);
  if (at < view.from || at > view.to) return;
  pen.fillRect(x, top + TITLE - 2, 2, UP + DOWN + STRIP + 2);
}

const stalls = new WeakMap<Lane, ReturnType<typeof firstStall>>();
function stallIn(lane: Lane): ReturnType<typeof firstStall> {
  if (!stalls.has(lane)) stalls.set(lane, firstStall(lane));
  return stalls.get(lane);
}

/** What lies at a pixel: the lane, its iteration, and the request whose box it is, if it is one's. */
export function hit(
  lanes: readonly Lane[],
  view: View,
  x: number,
  y: number,
): { readonly lane: number; readonly iteration: number; readonly request: number } | undefined {
  const l = Math.floor(y / LANE);
  const lane = lanes[l];
  const at = atOf(view, x);
  if (!lane || at < view.from || at > view.to) return undefined;
  const i = iterationAt(lane, at);
  if (i >= lane.count || lane.startAt[i] > at) return undefined;
  let request = -1;
  parts(lane, i, l * LANE + TITLE + UP, topsOf(lanes), (id, top, height) => {
    if (y >= top && y < top + height) request = id;
  });
  // A selected request is found anywhere in an iteration that holds it and too thin to aim at.
  if (request < 0 && view.selected !== undefined && holds(lane, i, view.selected)) request = view.selected;
  return { lane: l, iteration: i, request };
}
