/**
 * The timeline on the page: the schedulers side by side on the same arrivals, drawn on a canvas, with play, step and
 * zoom by button and by key, words for what the pointer or the playhead is at, and a table of the iterations in view.
 */
import {
  commonEnd,
  DARK,
  draw,
  heightOf,
  hit,
  iterationAt,
  iterationWords,
  LIGHT,
  requestWords,
} from "../charts/index.js";
import type { Lane, View } from "../charts/index.js";
import { element, isDark, table, the } from "./elements.js";

/** The first view shows about this many iterations of the busiest lane. */
const FIRST_VIEW = 120;
const MOST_ROWS = 40;
const ZOOM = 1.6;
/** Playing keeps the playhead within this share of the view. */
const AHEAD = 0.7;

export class Timeline {
  private lanes: readonly Lane[] = [];
  private from = 0;
  private to = 1;
  private end = 1;
  private at = 0;
  private selected: number | undefined;
  private isPlaying = false;
  private playedAt = 0;
  private isAsked = false;
  private readonly canvas = the<HTMLCanvasElement>("timeline");

  constructor() {
    const { canvas } = this;
    const on = (id: string, act: () => void): void => the(id).addEventListener("click", act);
    on("play", () => this.play(!this.isPlaying));
    on("back", () => this.step(-1));
    on("forth", () => this.step(1));
    on("closer", () => this.zoom(1 / ZOOM));
    on("wider", () => this.zoom(ZOOM));
    on("whole", () => this.look(0, this.end));
    the<HTMLInputElement>("scrub").addEventListener("input", (event) => {
      this.moveTo((Number((event.target as HTMLInputElement).value) / 1000) * this.end);
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("click", (event) => this.choose(event));
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.shiftKey) return; // the page scrolls
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM);
      },
      { passive: false },
    );
    the("rows").addEventListener("toggle", () => this.fillRows());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.ask());
    new ResizeObserver(() => this.ask()).observe(canvas.parentElement!);
  }

  /** Shows other lanes, from their beginning. */
  show(lanes: readonly Lane[]): void {
    const isFirst = this.lanes.length === 0;
    this.lanes = lanes;
    this.end = Math.max(commonEnd(lanes), 1e-6);
    this.selected = undefined;
    // New settings keep the view, so that what a slider does can be seen.
    if (isFirst || this.from >= this.end || this.to > this.end) {
      const busiest = Math.min(
        ...lanes.map((lane) => lane.endAt[Math.min(FIRST_VIEW, lane.count - 1)] ?? this.end),
      );
      this.from = 0;
      this.to = Math.min(this.end, Math.max(busiest, 1e-6));
      this.at = 0;
    }
    const iterations = lanes.map(
      ({ count, label, isWhole }) => `${label}: ${isWhole ? "all" : "the first"} ${count} iterations`,
    );
    the("recorded").textContent = `Trial 1, replica 1. ${iterations.join("; ")}.`;
    this.ask();
  }

  private view(): View {
    return {
      from: this.from,
      to: this.to,
      width: this.canvas.parentElement!.clientWidth,
      theme: isDark() ? DARK : LIGHT,
      font: "system-ui, sans-serif",
      playhead: this.at,
      ...(this.selected !== undefined && { selected: this.selected }),
    };
  }

  /** Draws once before the next frame, however often it is asked. */
  private ask(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame((now) => {
      this.isAsked = false;
      this.frame(now);
    });
  }

  private frame(now: number): void {
    if (this.lanes.length === 0) return;
    if (this.isPlaying) {
      const passed = Math.min(0.1, (now - this.playedAt) / 1000);
      this.playedAt = now;
      this.at += passed * Number(the<HTMLSelectElement>("speed").value);
      if (this.at >= this.end) {
        this.at = this.end;
        this.play(false);
      }
      const lead = this.from + AHEAD * (this.to - this.from);
      if (this.at > lead) this.look(this.from + this.at - lead, this.to + this.at - lead);
    }
    const started = performance.now();
    const view = this.view();
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const height = heightOf(this.lanes);
    const [width, tall] = [Math.round(view.width * ratio), Math.round(height * ratio)];
    if (canvas.width !== width || canvas.height !== tall) {
      canvas.width = width;
      canvas.height = tall;
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext("2d")!;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { iterations, marks } = draw(pen, this.lanes, view);
    // What tests and the bench read: the work of this frame.
    canvas.dataset.iterations = String(iterations);
    canvas.dataset.marks = String(marks);
    canvas.dataset.at = String(this.at);
    canvas.dataset.from = String(this.from);
    canvas.dataset.to = String(this.to);
    canvas.dataset.frames = String(Number(canvas.dataset.frames ?? 0) + 1);
    canvas.dataset.drawMs = String(performance.now() - started);
    the<HTMLInputElement>("scrub").value = String(Math.round((1000 * this.at) / this.end));
    if (!this.isPlaying) {
      this.tell();
      this.fillRows();
    } else this.ask();
  }

  private play(on: boolean): void {
    this.isPlaying = on;
    this.playedAt = performance.now();
    if (on && this.at >= this.end) this.at = 0;
    const button = the("play");
    button.textContent = on ? "Pause" : "Play";
    button.setAttribute("aria-pressed", String(on));
    this.ask();
  }

  /** To the start of the next or last iteration, whichever lane's is nearest. */
  private step(by: 1 | -1): void {
    if (this.isPlaying) this.play(false);
    const near = 1e-9;
    const starts = this.lanes.flatMap((lane) => {
      const i = iterationAt(lane, this.at + near);
      return [i - 1, i, i + 1].filter((k) => k >= 0 && k < lane.count).map((k) => lane.startAt[k]);
    });
    const next = starts.filter((at) => (at - this.at) * by > near);
    if (next.length > 0) this.moveTo(by > 0 ? Math.min(...next) : Math.max(...next));
  }

  private moveTo(at: number): void {
    this.at = Math.min(this.end, Math.max(0, at));
    const span = this.to - this.from;
    if (this.at < this.from || this.at > this.to) this.look(this.at - span / 2, this.at + span / 2);
    this.ask();
  }

  /** Sees from one second to another, as far as there is something to see. */
  private look(from: number, to: number): void {
    const span = Math.min(this.end, Math.max(to - from, 1e-4));
    this.from = Math.min(Math.max(0, from), this.end - span);
    this.to = this.from + span;
    this.ask();
  }

  /** Keeps the playhead where it is seen, or the middle when it is not. */
  private zoom(by: number): void {
    const still = this.at >= this.from && this.at <= this.to ? this.at : (this.from + this.to) / 2;
    this.look(still - (still - this.from) * by, still + (this.to - still) * by);
  }

  private key(event: KeyboardEvent): void {
    const span = this.to - this.from;
    const acts: Readonly<Record<string, () => void>> = {
      " ": () => this.play(!this.isPlaying),
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      PageUp: () => this.moveTo(this.at - span),
      PageDown: () => this.moveTo(this.at + span),
      Home: () => this.moveTo(0),
      End: () => this.moveTo(this.end),
      "+": () => this.zoom(1 / ZOOM),
      "=": () => this.zoom(1 / ZOOM),
      "-": () => this.zoom(ZOOM),
      "0": () => this.look(0, this.end),
      Escape: () => this.leave(),
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  private hitAt(event: PointerEvent | MouseEvent): ReturnType<typeof hit> {
    const { left, top } = this.canvas.getBoundingClientRect();
    return hit(this.lanes, this.view(), event.clientX - left, event.clientY - top);
  }

  private point(event: PointerEvent): void {
    if (this.lanes.length === 0 || this.isPlaying) return;
    const found = this.hitAt(event);
    const tip = the("tip");
    tip.hidden = found === undefined;
    const before = this.selected;
    this.selected = found && found.request >= 0 ? found.request : undefined;
    if (this.selected !== before) this.ask();
    if (!found) return;
    const lane = this.lanes[found.lane];
    tip.textContent =
      found.request >= 0
        ? `${requestWords(lane, found.request)}\n${iterationWords(lane, found.iteration)}`
        : iterationWords(lane, found.iteration);
    const box = this.canvas.parentElement!.getBoundingClientRect();
    tip.style.top = `${event.clientY - box.top + 18}px`;
    tip.style.left = `${Math.max(0, Math.min(event.clientX - box.left, box.width - tip.offsetWidth))}px`;
  }

  private leave(): void {
    the("tip").hidden = true;
    this.selected = undefined;
    this.ask();
  }

  /** A click puts the playhead where it is. */
  private choose(event: MouseEvent): void {
    const found = this.hitAt(event);
    if (found) this.moveTo(this.lanes[found.lane].startAt[found.iteration]);
  }

  /** What each lane does at the playhead, in words; read aloud when it stands still. */
  private tell(): void {
    the("now").replaceChildren(
      ...this.lanes.map((lane) => {
        const i = iterationAt(lane, this.at);
        const isIdle = i >= lane.count || lane.startAt[i] > this.at;
        return element(
          "li",
          {},
          element("b", {}, lane.label),
          `: ${isIdle ? "idle" : iterationWords(lane, i)}`,
        );
      }),
    );
  }

  private fillRows(): void {
    const rows = the<HTMLDetailsElement>("rows");
    if (!rows.open) return;
    const tables = this.lanes.map((lane) => {
      const first = iterationAt(lane, Math.max(this.from, this.at));
      const count = Math.min(MOST_ROWS, lane.count - first);
      return table(
        lane.label,
        ["iteration", "from, s", "to, s", "decodes", "prompt tokens", "waiting", "resident"],
        Array.from({ length: Math.max(0, count) }, (_, k) => first + k).map((i) => [
          String(i + 1),
          lane.startAt[i].toFixed(4),
          lane.endAt[i].toFixed(4),
          ...[lane.decodes, lane.prefill, lane.waiting, lane.resident].map((column) => String(column[i])),
        ]),
      );
    });
    rows.replaceChildren(
      rows.querySelector("summary")!,
      ...tables.map((one) => element("div", { class: "scroll" }, one)),
    );
  }
}
