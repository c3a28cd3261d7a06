/**
 * A layer of a study: a plain tree of settings and what to call each of them in an error. The later layer wins:
 * defaults < scenario < hardware < a vLLM server's settings < `--config` file < `--set` < flags.
 */
import type {
  Conventions,
  EngineConfig,
  HorizonConfig,
  WorkloadConfig,
} from "../core/configuration/config.js";
import type { OptionValue } from "../core/options/definition.js";
import type { SloConfig } from "../core/configuration/slo.js";
import type { Issue } from "../core/errors.js";

/**
 * A setting. undefined is the same as not given; "none" stands for null where that is allowed. The text of a
 * flag that is not a number may stand where a number belongs: the error then shows what was typed.
 */
export type Setting = OptionValue | null | undefined;

/** Part of a family member's spec; without `kind` its options go to the kind in force. */
export interface SpecInput {
  readonly kind?: string | undefined;
  readonly [option: string]: Setting;
}

/** The plain tree that a layer is. */
export interface StudyInput {
  /** Name of a scenario, or its file. The caller loads it as a layer of its own. */
  readonly scenario?: string | undefined;
  /** Name of a hardware file of the package, or the file. The caller loads it as a layer of its own. */
  readonly hardware?: string | undefined;
  readonly workload?:
    | {
        readonly [K in keyof WorkloadConfig]?: (K extends "maxConcurrency" ? Setting : SpecInput) | undefined;
      }
    | undefined;
  readonly service?: SpecInput | undefined;
  readonly engine?:
    | {
        readonly [K in keyof EngineConfig]?:
          (K extends "discipline" | "router" ? SpecInput : Setting) | undefined;
      }
    | undefined;
  /** `standard` or `reference` sets all four. */
  readonly conventions?: string | { readonly [K in keyof Conventions]?: Setting } | undefined;
  readonly horizon?: { readonly [K in keyof HorizonConfig]?: Setting } | undefined;
  readonly slo?: { readonly [K in keyof SloConfig | "targets"]?: Setting } | undefined;
  /** Options for every scheduler of the study that has them, e.g. `ratio`. */
  readonly scheduler?: { readonly [option: string]: Setting } | undefined;
  /** Names (short ones too) or specs; a text is split at its commas. Replaces an earlier list. */
  readonly schedulers?: string | readonly (string | SpecInput)[] | undefined;
  /** Trials, an integer. */
  readonly trials?: Setting;
  readonly seed?: Setting;
}

export interface Layer {
  /** `defaults`, `flag`, `--set`, a file's name, or e.g. `scenario demo2`. */
  readonly source: string;
  readonly values: StudyInput;
  /**
   * What an error calls the dotted `key`: `--max-tokens`, `--set engine.maxTokens`, or
   * `my.yaml:12: engine.maxTokens`. undefined: not this layer's, or nothing better than the key.
   */
  readonly origin?: (key: string) => string | undefined;
  /** Problems found while the layer was read; `resolveStudy` throws them with all others. */
  readonly issues?: readonly Issue[];
}

/** A setting's place: the layer, and the key by which the layer knows it. */
export interface Place {
  readonly layer: Layer;
  readonly key: string;
}

/** How an error speaks of a place: `at` opens the line (`my.yaml:7: `, or empty), `name` stands for the key. */
export interface Naming {
  readonly at: string;
  readonly name: string;
}

/** What to call the setting at `place`; `shown` is its key where the layer has no name of its own. */
export function nameOf({ layer, key }: Place, shown = key): Naming {
  for (let known = key; ; known = known.slice(0, known.lastIndexOf("."))) {
    const origin = layer.origin?.(known);
    if (origin?.endsWith(`: ${known}`)) return { at: origin.slice(0, -known.length), name: shown };
    if (origin !== undefined) return { at: "", name: origin };
    if (!known.includes(".")) break;
  }
  if (layer.source.startsWith("--")) return { at: "", name: `${layer.source} ${key}` };
  return {
    at: layer.source === "flag" || layer.source === "defaults" ? "" : `${layer.source}: `,
    name: shown,
  };
}

/** Where a setting came from, for people: `--max-tokens`, `my.yaml:12`, `scenario demo2`, `defaults`. */
export function originOf(place: Place): string {
  const { at, name } = nameOf(place, "");
  return at.replace(/: $/, "") || name || place.layer.source;
}
