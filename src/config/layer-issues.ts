/**
 * The problems that come up where layers are merged, ten of each file, of `--set`, of each flag. What a layer's own file
 * has told already is not told again, and counts.
 */
import type { Issue } from "../core/errors.js";
import { Issues, MOST_ISSUES } from "../core/issues.js";
import { nameOf, type Layer } from "./layer.js";

/** Hears of problems at a key of a layer; their words are only made if they are told. */
export type Tell = (layer: Layer, key: string, issue: () => Issue) => void;

export class LayerIssues {
  private readonly own = new Map<Layer, ReadonlySet<string>>();
  private readonly sources = new Map<Layer, Map<string, Issues>>();

  readonly tell: Tell = (layer, key, issue) => {
    // Of a layer that has said already that there are more nothing more is said.
    if (this.before(layer) > MOST_ISSUES || this.ownKeys(layer).has(key)) return;
    this.of(layer, key).add(issue);
  };

  list(): Issue[] {
    return [...this.sources.values()].flatMap((all) => [...all.values()].flatMap((one) => one.list()));
  }

  private before(layer: Layer): number {
    return layer.issues?.length ?? 0;
  }

  /** What the layer has told of itself. */
  private ownKeys(layer: Layer): ReadonlySet<string> {
    const known = this.own.get(layer) ?? new Set(layer.issues?.map(({ key }) => key));
    this.own.set(layer, known);
    return known;
  }

  private of(layer: Layer, key: string): Issues {
    const name = layer.source === "flag" ? nameOf({ layer, key }).name : layer.source;
    const all = this.sources.get(layer) ?? new Map<string, Issues>();
    const one = all.get(name) ?? new Issues(name, this.before(layer));
    this.sources.set(layer, all.set(name, one));
    return one;
  }
}
