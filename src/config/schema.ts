/**
 * zod schemas of study, scenario and hardware files, made from the tree of keys.
 * A file is checked with them before it is merged, so that a wrong value is found even where a flag replaces
 * it; and the JSON Schemas that editors complete from are made of them. zod takes 120 ms to load, so it is an
 * argument here and loaded only by those who need it.
 */
import type { z } from "zod";
import type { Described, OptionSpec } from "../core/options/definition.js";
import type { Registry } from "../core/configuration/registry.js";
import { HARDWARE_NEEDS, hardwareTree } from "./hardware-keys.js";
import {
  namesOf,
  optionsOf,
  scenarioTree,
  studyTree,
  type GroupNode,
  type KeyNode,
  type SpecNode,
} from "./keys.js";

export type Zod = typeof z;
type Shape = Record<string, z.ZodType>;

/** Whether every setting is optional (a layer over others) or must be there unless core has a default. */
type Extent = "partial" | "whole";

/** The schema of a study file: every key optional. */
export const studySchema = (zod: Zod, registry: Registry): z.ZodType =>
  nodeSchema(zod, studyTree(registry), "partial");

/** The schema of a scenario file: workload and service complete, engine optional. */
export const scenarioSchema = (zod: Zod, registry: Registry): z.ZodType =>
  fileSchema(zod, scenarioTree(registry), ["workload", "service"]);

/** The schema of a hardware file. */
export const hardwareSchema = (zod: Zod, registry: Registry): z.ZodType =>
  fileSchema(zod, hardwareTree(registry), HARDWARE_NEEDS);

/** A file with parts that must be there, complete, and others that may be. */
function fileSchema(zod: Zod, { children, summary }: GroupNode, needs: readonly string[]): z.ZodType {
  const shape: Shape = {};
  for (const [key, node] of children) {
    const needed = needs.includes(key);
    const schema = nodeSchema(zod, node, needed ? "whole" : "partial");
    shape[key] = needed ? schema : schema.optional();
  }
  return zod.strictObject(shape).meta({ description: summary });
}

function nodeSchema(zod: Zod, node: KeyNode, extent: Extent): z.ZodType {
  switch (node.type) {
    case "option":
      return optionSchema(zod, node.option);
    case "text":
      return zod.string().min(1).meta({ description: node.summary });
    case "group":
      return groupSchema(zod, node, extent);
    case "spec":
      return specSchema(zod, node, extent);
    case "list": {
      const names = zod.enum(namesOf(node.each));
      const each = zod.union([names, zod.discriminatedUnion("kind", kinds(zod, node.each, "partial", true))]);
      const described = { description: `${node.summary}: names, or kinds with options` };
      return zod.union([zod.string().min(1), zod.array(each).min(1)]).meta(described);
    }
  }
}

function groupSchema(zod: Zod, node: GroupNode, extent: Extent): z.ZodType {
  const shape: Shape = {};
  for (const [key, child] of node.children) {
    const schema = nodeSchema(zod, child, extent);
    const hasDefault = child.type === "option" && child.option.default !== undefined;
    shape[key] = extent === "whole" && !hasDefault ? schema : schema.optional();
  }
  const object = zod.strictObject(shape);
  const schema = node.words ? zod.union([zod.enum([...node.words.keys()]), object]) : object;
  return schema.meta({ description: node.summary });
}

function specSchema(zod: Zod, node: SpecNode, extent: Extent): z.ZodType {
  const whole = zod.discriminatedUnion("kind", kinds(zod, node, extent));
  if (extent === "whole") return whole.meta({ description: node.summary });
  const shape: Shape = { kind: zod.never().optional() };
  for (const option of optionsOf(node)) {
    const { key } = option;
    const alike = node.family.flatMap(({ options }) => options.filter((other) => other.key === key));
    const differ = alike.some((other) => JSON.stringify(other) !== JSON.stringify(option));
    const one = (spec: OptionSpec): z.ZodType => optionSchema(zod, spec);
    const schema = differ ? zod.union(alike.map(one)).meta({ description: described(option) }) : one(option);
    shape[key] = schema.optional();
  }
  const description = `${node.summary}; without kind, options of the kind in force`;
  return zod.union([whole, zod.strictObject(shape)]).meta({ description });
}

type Kinds = [z.ZodObject, ...z.ZodObject[]];

/** An object a member: its name as `kind`, and its options. `short` admits short names too. */
function kinds(zod: Zod, node: SpecNode, extent: Extent, short = false): Kinds {
  const one = (member: Described): z.ZodObject => {
    const names = short && member.short !== undefined ? [member.name, member.short] : [member.name];
    const shape: Shape = { kind: zod.literal([...new Set(names)]).meta({ description: member.summary }) };
    for (const option of member.options) {
      const schema = optionSchema(zod, option);
      shape[option.key] = extent === "whole" && option.default === undefined ? schema : schema.optional();
    }
    return zod.strictObject(shape).meta({ description: member.summary });
  };
  return node.family.map(one) as Kinds;
}

const described = ({ summary, unit }: OptionSpec): string => (unit ? `${summary} (${unit})` : summary);

/** The schema of a single setting. */
export function optionSchema(zod: Zod, option: OptionSpec): z.ZodType {
  const { kind } = option;
  const value =
    kind === "choice"
      ? choiceSchema(zod, option.choices ?? [])
      : kind === "boolean"
        ? zod.boolean()
        : kind === "text"
          ? zod.string().min(1)
          : kind === "integers" || kind === "numbers"
            ? zod.array(numberSchema(zod, option))
            : numberSchema(zod, option);
  const schema = option.nullable ? zod.union([value, zod.null(), zod.literal("none")]) : value;
  return schema.meta({
    description: described(option),
    ...(option.default === undefined ? {} : { default: option.default }),
  });
}

/** A choice that looks like a number is one in YAML, unless it is quoted. */
function choiceSchema(zod: Zod, choices: readonly string[]): z.ZodType {
  const numbers = choices.map(Number).filter((number) => choices.includes(String(number)));
  const words = zod.enum(choices);
  return numbers.length > 0 ? zod.union([words, zod.literal(numbers)]) : words;
}

function numberSchema(zod: Zod, { kind, min, max, above, below }: OptionSpec): z.ZodNumber {
  let number: z.ZodNumber = kind === "integer" || kind === "integers" ? zod.int() : zod.number();
  if (min !== undefined) number = above ? number.gt(min) : number.min(min);
  if (max !== undefined) number = below ? number.lt(max) : number.max(max);
  return number;
}
