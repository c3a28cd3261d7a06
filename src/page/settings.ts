/**
 * Settings of the page: they live in its address as the flags of `llmsim run`, and are read by the very code that
 * reads the command line, so that a view can be shared, copied as a command, and judged in the same words.
 */
import { flagLayer, SETTINGS } from "../flags/flag-layer.js";
import { MODEL_SWITCHES, type ModelSwitch } from "../flags/flags.js";
import { camelCase } from "../flags/options.js";
import { shellWord } from "../core/foreign-words.js";
import { resolveStudy } from "../config/study.js";
import { hint } from "../config/suggest.js";
import { show } from "../config/telling.js";
import type { SimulationConfig } from "../core/configuration/config.js";
import { ConfigError, type Issue } from "../core/errors.js";
import type { Study } from "../experiments/interface/study.js";
import { withScheduler } from "../experiments/interface/study.js";
import type { Base, PageData } from "../experiments/explore/page-data.js";
import { plain } from "../experiments/cells/quantity.js";
import { arrivalRate } from "../experiments/cells/rows.js";

/** What the address holds: the base's name, and flags without dashes. */
export interface Settings {
  readonly base: string;
  readonly flags: Readonly<Record<string, string>>;
}

/** More requests than this a trial would take a browser's memory and patience; the command line takes more. */
export const MOST_REQUESTS = 2_000_000;

export const initial = ({ base, settings }: PageData): Settings => ({ base, flags: settings });

/** Settings as the part of the address behind `#`; empty for those the page opens with. */
export function addressOf({ base, flags }: Settings): string {
  const parts = new URLSearchParams({ scenario: base });
  for (const name of SETTINGS) if (flags[name] !== undefined) parts.set(name, flags[name]);
  return `#${parts.toString()}`;
}

/** The settings of an address; what it says that is none is told with all other problems. */
export function settingsFrom(hash: string, data: PageData): { settings: Settings; issues: Issue[] } {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  if ([...parts].length === 0) return { settings: initial(data), issues: [] };
  const issues: Issue[] = [];
  const flags: Record<string, string> = {};
  let base = data.base;
  for (const [name, value] of parts)
    if (name === "scenario") base = value;
    else if (SETTINGS.includes(name)) flags[name] = value;
    else {
      const known = ["scenario", ...SETTINGS];
      issues.push({ key: name, message: `unknown setting: ${show(name)}${hint(name, known)}` });
    }
  return { settings: { base, flags }, issues };
}

export const baseOf = (data: PageData, name: string): Base | undefined =>
  data.bases.find((base) => base.name === name || base.alias === name);

const switchOf = (flag: string): ModelSwitch | undefined =>
  MODEL_SWITCHES.find(({ on }) => on === `--${flag}`);

/** A flag's value as the command line has it after reading. */
function typed(flag: string, value: string): string | string[] | boolean {
  if (switchOf(flag)) return value !== "false";
  return flag === "scheduler" ? [value] : value;
}

/** The study of the settings, or every problem of them. */
export function studyOf(
  { base: name, flags }: Settings,
  data: PageData,
): { study?: Study; configs: readonly SimulationConfig[]; issues: Issue[] } {
  const issues: Issue[] = [];
  const base = baseOf(data, name);
  if (!base) {
    const names = data.bases.flatMap((one) => (one.alias === undefined ? [one.name] : [one.alias, one.name]));
    issues.push({
      key: "scenario",
      message: `unknown scenario: ${show(name)} (one of: ${names.join(", ")})${hint(name, names)}`,
    });
  }
  const given = Object.fromEntries(
    Object.entries(flags).map(([flag, value]) => [camelCase(flag), typed(flag, value)]),
  );
  const layer = flagLayer(given, issues);
  const below = base ?? baseOf(data, data.base)!;
  try {
    const study: Study = {
      ...resolveStudy([
        { source: "defaults", values: data.defaults },
        { source: below.name, values: below.values },
        layer,
      ]),
      scenario: below.name,
      chosenBy: below.command,
    };
    const requests = expectedRequests(study);
    if (requests > MOST_REQUESTS)
      issues.push({
        key: "horizon.tmaxSeconds",
        message: `too many requests for a browser: --lam times --tmax is about ${plain(requests)} a trial (at most ${MOST_REQUESTS}; the command line takes more)`,
      });
    if (issues.length > 0) return { configs: [], issues };
    return { study, configs: study.schedulers.map((one) => withScheduler(study, one)), issues };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { configs: [], issues: [...issues, ...error.issues] };
  }
}

const expectedRequests = ({ config }: Study): number =>
  Math.min(arrivalRate(config) * config.horizon.tmaxSeconds, config.horizon.maxRequests ?? Infinity);

/** The command that gives the same numbers. */
export function commandOf({ base, flags }: Settings, data: PageData): string {
  const words = SETTINGS.filter((name) => flags[name] !== undefined).map((name) => {
    const toggle = switchOf(name);
    if (toggle) return flags[name] === "false" ? toggle.off : toggle.on;
    return `--${name} ${shellWord(flags[name])}`;
  });
  return ["llmsim run", baseOf(data, base)?.command ?? "", ...words].join(" ").replace(/ +/g, " ");
}
