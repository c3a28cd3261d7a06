/**
 * What a timeline is drawn with: the part of the browser's 2D canvas that it needs, which the canvas package has as
 * well, and its colours. Prefill is vermilion and decode blue as in the figures, three shades apart by request.
 */

/** The part of CanvasRenderingContext2D that is used. */
export interface Pen {
  fillStyle: unknown;
  strokeStyle: unknown;
  lineWidth: number;
  font: string;
  textAlign: unknown;
  textBaseline: unknown;
  fillRect(x: number, y: number, width: number, height: number): void;
  strokeRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number, maxWidth?: number): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
}

export interface TimelineTheme {
  readonly back: string;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly prefill: readonly [string, string, string];
  readonly decode: readonly [string, string, string];
  /** Prompts waiting, and the strip where they do; sequences resident; the strip where decodes are left out. */
  readonly waiting: string;
  readonly resident: string;
  readonly stall: string;
  readonly late: string;
}

export const LIGHT: TimelineTheme = {
  back: "#ffffff",
  ink: "#222222",
  muted: "#595959",
  grid: "#e4e4e4",
  prefill: ["#d55e00", "#e8823a", "#b34f00"],
  decode: ["#0072b2", "#3d97cc", "#005a8f"],
  waiting: "#b08000",
  resident: "#767676",
  stall: "#c2185b",
  late: "#7b3fb5",
};

export const DARK: TimelineTheme = {
  back: "#16181d",
  ink: "#eeeeee",
  muted: "#b0b0b0",
  grid: "#33363d",
  prefill: ["#f08a3c", "#ffab6b", "#d66f1f"],
  decode: ["#56b4e9", "#8fd0f5", "#2f93cc"],
  waiting: "#e6b52e",
  resident: "#9a9a9a",
  stall: "#ff6b9d",
  late: "#c79bf2",
};
