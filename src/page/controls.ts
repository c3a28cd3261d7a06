/**
 * The controls: a slider and a field a setting, made from the command line's flags, each with its own problems beside
 * it in the command line's words. A field takes any text: what is wrong with it is said, not prevented.
 */
import { MODEL_FLAGS } from "../flags/flags.js";
import { flagName } from "../flags/options.js";
import type { Issue } from "../core/errors.js";
import { builtIn } from "../core/configuration/registry.js";
import type { Study } from "../experiments/interface/study.js";
import type { PageData } from "../experiments/explore/page-data.js";
import { element, the } from "./elements.js";
import { baseOf, type Settings } from "./settings.js";

interface Knob {
  readonly flag: string;
  readonly title: string;
  /** The slider's ends; none: a field only. */
  readonly from?: number;
  readonly to?: number;
  /** The slider's places are whole numbers. */
  readonly whole?: boolean;
  /** Equal steps multiply. */
  readonly log?: boolean;
  readonly choices?: readonly string[];
}

const KNOBS: readonly Knob[] = [
  { flag: "lam", title: "arrival rate λ, per s", from: 0.1, to: 40, log: true },
  { flag: "chunk-size", title: "chunk size, tokens (none: off)", from: 8, to: 1024, whole: true, log: true },
  { flag: "ratio", title: "decode ratio of hybrid", from: 0.05, to: 0.95 },
  { flag: "max-tokens", title: "token budget", from: 64, to: 16384, whole: true, log: true },
  { flag: "max-sequences", title: "sequence cap", from: 1, to: 2000, whole: true, log: true },
  { flag: "c-ms", title: "c, ms an iteration", from: 1, to: 100, log: true },
  { flag: "a-ms", title: "a, ms a token", from: 0.01, to: 5, log: true },
  { flag: "b0", title: "b0, tokens that ride for free", from: 0, to: 512, whole: true },
];
const FURTHER: readonly Knob[] = [
  { flag: "tmax", title: "time window T, s" },
  { flag: "ntrials", title: "trials" },
  { flag: "seed", title: "seed" },
  { flag: "n-queries", title: "at most this many requests" },
  { flag: "warmup", title: "warm-up, s" },
  { flag: "num-gpus", title: "replicas" },
  { flag: "ratio-of", title: "ratio of", choices: ["sequences", "tokens"] },
  { flag: "conventions", title: "conventions", choices: ["", "standard", "reference"] },
];

const keyOf = new Map(MODEL_FLAGS.map(({ flag, key }) => [flagName(flag).slice(2), key]));
const SLIDER = 1000;

/** Places of a slider, 0 to 1000, and the settings they stand for. */
function settingAt({ from = 0, to = 1, log = false, whole = false }: Knob, place: number): number {
  const share = place / SLIDER;
  const value = log ? from * Math.pow(to / from, share) : from + (to - from) * share;
  return whole ? Math.round(value) : Number(value.toPrecision(value >= 10 ? 3 : 2));
}
function placeOf({ from = 0, to = 1, log = false }: Knob, value: number): number {
  const share = log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  return Math.round(SLIDER * Math.min(1, Math.max(0, share)));
}

/** What a study has for a flag, as text; undefined when its model has no such setting. */
function valueIn(study: Study, flag: string): string | undefined {
  if (flag === "ntrials") return String(study.trials);
  if (flag === "seed") return String(study.seed);
  const path = keyOf.get(flag)?.split(".") ?? [];
  if (path[0] === "scheduler") {
    const having = study.schedulers.find((spec) => spec[path[1]] !== undefined);
    return having && String(having[path[1]]);
  }
  if (path[0] === "conventions") return "";
  let at: unknown = study.config;
  for (const name of path) at = (at as Record<string, unknown> | undefined)?.[name];
  return at === null ? "none" : typeof at === "number" || typeof at === "string" ? String(at) : undefined;
}

interface Parts {
  readonly knob: Knob;
  readonly field: HTMLInputElement | HTMLSelectElement;
  readonly slider: HTMLInputElement | undefined;
  readonly problem: HTMLElement;
}

export class Controls {
  private readonly parts: Parts[] = [];
  private readonly scenario: HTMLSelectElement;
  private readonly boxes: HTMLInputElement[] = [];
  private settings: Settings;
  private readonly change: (settings: Settings) => void;

  constructor(data: PageData, settings: Settings, change: (settings: Settings) => void) {
    this.settings = settings;
    this.change = change;
    this.scenario = element(
      "select",
      { id: "scenario", "aria-describedby": "problem-scenario" },
      ...data.bases.map(({ name, summary }) => element("option", { value: name, title: summary }, name)),
    );
    this.scenario.addEventListener("change", () => {
      // A scenario begins with its own settings; how long and how often is the reader's.
      const { tmax, ntrials, seed, scheduler } = this.settings.flags;
      const kept = Object.entries({ tmax, ntrials, seed, scheduler }).filter(
        ([, value]) => value !== undefined,
      );
      this.put({ base: this.scenario.value, flags: Object.fromEntries(kept) });
    });
    the("knobs").append(
      element(
        "div",
        { class: "knob" },
        element("label", { for: "scenario" }, "scenario"),
        this.scenario,
        problemOf("scenario"),
      ),
      this.schedulers(),
      ...KNOBS.map((knob) => this.knob(knob)),
    );
    the("further").append(...FURTHER.map((knob) => this.knob(knob)));
  }

  private put(settings: Settings): void {
    this.settings = settings;
    this.change(settings);
  }

  private set(flag: string, value: string): void {
    const flags = { ...this.settings.flags };
    if (value.trim() === "") Reflect.deleteProperty(flags, flag);
    else flags[flag] = value.trim();
    this.put({ ...this.settings, flags });
  }

  private schedulers(): HTMLElement {
    const set = element("fieldset", {}, element("legend", {}, "schedulers"));
    for (const { name, summary } of builtIn.schedulers) {
      const box = element("input", { type: "checkbox", value: name });
      box.addEventListener("change", () => {
        const chosen = this.boxes.filter(({ checked }) => checked).map(({ value }) => value);
        // Without any there is nothing to show: the last one stays.
        if (chosen.length === 0) box.checked = true;
        else this.set("scheduler", chosen.join(","));
      });
      this.boxes.push(box);
      set.append(element("label", { title: summary }, box, ` ${name}`));
    }
    set.append(problemOf("scheduler"));
    return set;
  }

  private knob(knob: Knob): HTMLElement {
    const { flag, title, from, choices } = knob;
    const problem = problemOf(flag);
    const described = { "aria-describedby": problem.id };
    const field = choices
      ? element(
          "select",
          { id: flag, ...described },
          ...choices.map((one) => element("option", { value: one }, one || "the scenario's")),
        )
      : element("input", { id: flag, type: "text", inputmode: "decimal", autocomplete: "off", ...described });
    field.addEventListener(choices ? "change" : "input", () => this.set(flag, field.value));
    const row = element("div", { class: "knob" }, element("label", { for: flag }, title), field);
    let slider: HTMLInputElement | undefined;
    if (from !== undefined) {
      slider = element("input", {
        type: "range",
        min: 0,
        max: SLIDER,
        id: `${flag}-slider`,
        "aria-label": title,
      });
      const moved = slider;
      moved.addEventListener("input", () => {
        field.value = String(settingAt(knob, Number(moved.value)));
        moved.setAttribute("aria-valuetext", field.value);
        this.set(flag, field.value);
      });
      row.append(moved);
    }
    row.append(problem);
    this.parts.push({ knob, field, slider, problem });
    return row;
  }

  /** Shows settings, what they come to, and each problem beside the control that it is about. */
  show(settings: Settings, study: Study | undefined, issues: readonly Issue[], data: PageData): void {
    this.settings = settings;
    this.scenario.value = baseOf(data, settings.base)?.name ?? "";
    if (study)
      for (const box of this.boxes) box.checked = study.schedulers.some(({ kind }) => kind === box.value);
    for (const { knob, field, slider } of this.parts) {
      const value = settings.flags[knob.flag] ?? (study && valueIn(study, knob.flag));
      // A model without this setting: the field would only make an error.
      field.disabled = study !== undefined && value === undefined;
      if (document.activeElement !== field || field instanceof HTMLSelectElement) field.value = value ?? "";
      if (!slider) continue;
      slider.disabled = field.disabled;
      const number = value === "none" ? knob.to! : Number(value);
      if (document.activeElement !== slider && Number.isFinite(number) && number >= 0)
        slider.value = String(placeOf(knob, Math.max(number, knob.log ? knob.from! : 0)));
      slider.setAttribute("aria-valuetext", value ?? "");
    }
    const rest = this.problems(issues);
    the("errors").replaceChildren(...rest.map(({ message }) => element("li", {}, message)));
    the("errors").hidden = rest.length === 0;
  }

  /** Puts each issue beside its control; returns those that belong to none. */
  private problems(issues: readonly Issue[]): Issue[] {
    const places = new Map<string, string[]>();
    const rest: Issue[] = [];
    for (const issue of issues) {
      const flag = flagOf(issue);
      if (flag === undefined) rest.push(issue);
      else places.set(flag, [...(places.get(flag) ?? []), issue.message]);
    }
    for (const name of ["scenario", "scheduler", ...this.parts.map(({ knob }) => knob.flag)]) {
      const messages = places.get(name) ?? [];
      const problem = the(`problem-${name}`);
      problem.textContent = messages.join("\n");
      problem.hidden = messages.length === 0;
      // A problem among the further settings opens them.
      const around = problem.closest("details");
      if (around && messages.length > 0) around.open = true;
      document.getElementById(name)?.setAttribute("aria-invalid", String(messages.length > 0));
    }
    return rest;
  }
}

const problemOf = (flag: string): HTMLElement =>
  element("p", { class: "problem", id: `problem-${flag}`, role: "alert", hidden: true });

/** The flag that an issue is about: the one it names, or the one that sets its key. */
function flagOf({ key, message }: Issue): string | undefined {
  const known = new Set(["scenario", "scheduler", ...[...KNOBS, ...FURTHER].map(({ flag }) => flag)]);
  const named = [...message.matchAll(/--([a-z0-9-]+)/g)]
    .map((match) => match[1])
    .find((name) => known.has(name));
  if (named !== undefined) return named;
  if (known.has(key)) return key;
  if (key === "schedulers" || key.startsWith("scheduler")) return "scheduler";
  for (const [flag, of] of keyOf) if (of === key && known.has(flag)) return flag;
  return undefined;
}
