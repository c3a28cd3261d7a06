/**
 * The rules of the house (the layering, the families, what keeps results the same on every machine, the shape of
 * files). Each finding says where, what, and what to do instead.
 */
import ts from "typescript";
import { BELOW, CLI_GROUND, CLOSED, FACES, FLOORS } from "./rooms.js";
import { lineOf, nodesOf, resolve, type Source } from "./sources.js";

export type Finding = string;
type Rule = (source: Source) => Finding[];

const finding = (source: Source, line: number, problem: string, instead: string): Finding =>
  `src/${source.path}:${line}: ${problem}. ${instead}`;

// ------------------------------------------------------------------------------------------ who imports whom

/** The folder of a file, of those in src; "index" for the library's face. */
const roomOf = (path: string): string => (path.includes("/") ? path.slice(0, path.indexOf("/")) : "index");

/** The room within its folder. */
function innerRoomOf(path: string): string {
  const [, room, file] = path.split("/");
  if (file !== undefined) return room;
  return CLI_GROUND.includes(path) ? "ground" : ".";
}

/** Packages that the pure rooms may use; the others may use whatever package.json lists. */
const PACKAGES: Readonly<
  Record<string, (source: Source, specifier: string, isTypeOnly: boolean) => boolean>
> = {
  core: ({ path }, specifier) => path === "core/numbers/random.ts" && specifier.startsWith("seedrandom/"),
  stats: (_, specifier) => specifier === "simple-statistics",
  theory: () => false,
  charts: (_, specifier, isTypeOnly) => specifier === "vega-lite" && isTypeOnly,
  experiments: () => false,
  page: (_, specifier) => specifier === "uplot",
  index: () => false,
};

export const importsGoDown: Rule = (source) => {
  const room = roomOf(source.path);
  const below = BELOW[room];
  if (below === undefined)
    return [finding(source, 1, `unknown room: ${room}`, `Use one of ${Object.keys(BELOW).join(", ")}`)];
  return source.imports.flatMap(({ specifier, line }) => {
    if (!specifier.startsWith(".")) return [];
    const target = resolve(source.path, specifier);
    if (roomOf(target) === room || below.includes(roomOf(target)) || below.includes(target)) return [];
    const allowed =
      below.length > 0 ? `${room} may import ${below.join(", ")}` : `${room} imports no other room`;
    return [finding(source, line, `${room} imports ${target}`, `Imports go down only: ${allowed}`)];
  });
};

/** Within core, experiments and cli: rooms import what stands on lower floors. */
export const roomsStandOnFloors: Rule = (source) => {
  const folder = roomOf(source.path);
  const floors = FLOORS[folder];
  if (floors === undefined) return [];
  const floorOf = (room: string): number => floors.findIndex((floor) => floor.includes(room));
  const room = innerRoomOf(source.path);
  const floor = floorOf(room);
  if (floor < 0)
    return [
      finding(
        source,
        1,
        `unknown room: ${folder}/${room}`,
        `Use one of ${floors.flat().join(", ")}, or give it a floor (test/architecture/rooms.ts)`,
      ),
    ];
  return source.imports.flatMap(({ specifier, line }) => {
    const target = specifier.startsWith(".") ? resolve(source.path, specifier) : "";
    const to = innerRoomOf(target);
    if (roomOf(target) !== folder || to === room || floorOf(to) < floor) return [];
    const lower = floors.slice(0, floor).flat();
    return [
      finding(
        source,
        line,
        `${folder}/${room} imports ${target}`,
        `Imports go down only: ${room} may import ${lower.join(", ") || "nothing"} of ${folder}`,
      ),
    ];
  });
};

/** What moves a simulation, and its state, are core's own: others are told of them. */
export const insidesAreClosed: Rule = (source) => {
  if (roomOf(source.path) === "core") return [];
  return source.imports.flatMap(({ specifier, line }) => {
    const target = specifier.startsWith(".") ? resolve(source.path, specifier) : "";
    if (FACES.includes(target) || !CLOSED.some((room) => target.startsWith(`${room}/`))) return [];
    return [finding(source, line, `imports ${target}`, `Of core's insides others see ${FACES.join(", ")}`)];
  });
};

/**
 * Files that import each other in a circle, types and lazy imports included: whoever reads one must read them all. Each
 * circle is told once, by a shortest way round.
 */
export function noCircles(sources: readonly Source[]): string[] {
  const imports = new Map(
    sources.map(({ path, imports: all }) => [
      path,
      all
        .filter(({ specifier }) => specifier.startsWith("."))
        .map(({ specifier }) => resolve(path, specifier)),
    ]),
  );
  const told = new Set<string>();
  return sources.flatMap((source) => {
    const way = wayBack(source.path, imports);
    const key = way && [...way].sort().join();
    if (key === undefined || told.has(key)) return [];
    told.add(key);
    return [
      finding(
        source,
        1,
        `a circle: ${[...way!, source.path].join(" → ")}`,
        "Let one of them import neither, with what both need",
      ),
    ];
  });
}

/** The shortest way from a file over its imports back to it, itself first; undefined without one. */
function wayBack(path: string, imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [path];
  for (const at of queue)
    for (const next of imports.get(at) ?? []) {
      if (next === path) {
        const way = [at];
        while (way[0] !== path) way.unshift(cameFrom.get(way[0])!);
        return way;
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      queue.push(next);
    }
  return undefined;
}

/** Packages: the pure rooms by list, the others what package.json brings along. */
export const packagesAreAllowed =
  (dependencies: readonly string[]): Rule =>
  (source) => {
    const room = roomOf(source.path);
    return source.imports.flatMap(({ specifier, line, isTypeOnly }) => {
      if (specifier.startsWith(".")) return [];
      const allows = PACKAGES[room];
      if (allows)
        return allows(source, specifier, isTypeOnly)
          ? []
          : [
              finding(
                source,
                line,
                `${room} imports ${specifier}`,
                `${room} is pure: let its caller bring that in`,
              ),
            ];
      const name = specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/");
      if (specifier.startsWith("node:") || dependencies.includes(name)) return [];
      return [
        finding(source, line, `imports ${specifier}`, "Import a dependency of package.json, or node:*"),
      ];
    });
  };

const DEFINITIONS = ["definition", "units", "arithmetic", "errors"];

/** A family of the core: its folder, and the files that its members import, above all not each other. */
interface Family {
  readonly folder: string;
  readonly allowed: readonly string[];
  /** Files of the folder that are no members: what the members are written against. */
  readonly interface?: readonly string[];
}
const FAMILIES: readonly Family[] = [
  {
    folder: "core/workload/arrivals",
    allowed: [...DEFINITIONS, "arrival-process", "random", "gamma-function", "trace", "trace-arrivals"],
  },
  {
    folder: "core/workload/lengths",
    allowed: [...DEFINITIONS, "length-law", "random", "listed-lengths", "trace", "trace-lengths"],
  },
  { folder: "core/policies/schedulers", allowed: [...DEFINITIONS, "scheduler", "packing"] },
  {
    folder: "core/service-times",
    allowed: [...DEFINITIONS, "service-time-model", "affine-cost", "kernel-table"],
    interface: ["service-time-model", "affine-cost", "kernel-table", "max-of-sides"],
  },
  {
    folder: "core/policies/disciplines",
    allowed: [...DEFINITIONS, "discipline", "id-deque", "keyed-order"],
  },
  { folder: "core/policies/routers", allowed: [...DEFINITIONS, "router"] },
];

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1).replace(".ts", "");

/** The family of which a file is a member, or the index. */
const familyOf = (path: string): Family | undefined =>
  FAMILIES.find(
    ({ folder, interface: others = [] }) =>
      path.slice(0, path.lastIndexOf("/")) === folder && !others.includes(nameOf(path)),
  );

const isFamilyIndex = (source: Source): boolean =>
  source.path.endsWith("/index.ts") && source.file.statements.every(ts.isExportDeclaration);

export const membersStandAlone: Rule = (source) => {
  const family = familyOf(source.path);
  return source.imports.flatMap(({ specifier, line }) => {
    if (!specifier.startsWith(".")) return [];
    const target = resolve(source.path, specifier);
    const targeted = familyOf(target);
    if (family && source.path.endsWith("/index.ts"))
      return targeted === family
        ? []
        : [finding(source, line, `exports ${specifier}`, "An index lists its own folder")];
    if (family)
      return !targeted && family.allowed.includes(nameOf(target))
        ? []
        : [
            finding(
              source,
              line,
              `a member imports ${specifier}`,
              `Members of ${nameOf(family.folder)} import ${family.allowed.join(", ")}`,
            ),
          ];
    if (targeted && source.path !== "core/configuration/registry.ts")
      return [
        finding(source, line, `imports ${specifier}`, "Members are reached through the registry, by name"),
      ];
    return [];
  });
};

// ----------------------------------------------------------------- the same bits, on every machine and engine

const PURE = ["core", "stats", "theory", "charts", "experiments"];
const MATH = ["sqrt", "abs", "floor", "ceil", "round", "trunc", "min", "max", "imul"];

/** Globals that a pure room may not name, and what to use instead. */
const GLOBALS: Readonly<Record<string, string>> = {
  Date: "Instants are Nanoseconds of the simulated clock; dates belong to io",
  performance: "Timing belongs to run and cli",
  console: "Return what there is to say; the cli prints it",
  process: "Take settings as arguments; the environment belongs to cli",
  Intl: "Write numbers as plain text; a locale differs from machine to machine",
  crypto: "Draw from a Stream of core/numbers/random.ts",
  setTimeout: "A pure room waits for nobody; timers belong to run",
  setInterval: "A pure room waits for nobody; timers belong to run",
  setImmediate: "A pure room waits for nobody; timers belong to run",
  queueMicrotask: "A pure room waits for nobody",
  fetch: "Files and networks belong to io",
  require: "Use import",
  Buffer: "Use typed arrays; the room must run in a browser",
  globalThis: "Name what you need; the room must run in a browser",
  window: "The room must run in Node as well",
  document: "The room must run in Node as well",
  navigator: "The room must run in Node as well",
  eval: "Write it down",
};
const NO_PROMISES = "This room is synchronous; experiments may wait for their Trials";

/** Methods whose result depends on the machine's locale. */
const LOCALE_METHODS = [
  "toLocaleString",
  "toLocaleDateString",
  "toLocaleTimeString",
  "toLocaleUpperCase",
  "toLocaleLowerCase",
  "localeCompare",
];

/** simple-statistics' coarse tables. */
const COARSE = [
  "probit",
  "cumulativeStdNormalProbability",
  "cumulativeStdLogisticProbability",
  "standardNormalTable",
  "errorFunction",
  "inverseErrorFunction",
  "tTest",
  "tTestTwoSample",
];

/** Whether this identifier names the global of that name, not something of the file's own. */
function isGlobal({ checker }: Source, node: ts.Identifier): boolean {
  const { parent } = node;
  const isName =
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isQualifiedName(parent) && parent.right === node) ||
    ((ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent)) &&
      parent.name === node) ||
    (ts.isBindingElement(parent) && parent.propertyName === node) ||
    ((ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) && parent.propertyName === node);
  if (isName) return false;
  const symbol = ts.isShorthandPropertyAssignment(parent)
    ? checker.getShorthandAssignmentValueSymbol(parent)
    : checker.getSymbolAtLocation(node);
  return !(symbol?.declarations ?? []).some((declaration) =>
    declaration.getSourceFile().fileName.startsWith("/src/"),
  );
}

export const sameBitsEverywhere: Rule = (source) => {
  const room = roomOf(source.path);
  if (!PURE.includes(room) || source.path === "index.ts") return [];
  const findings: Finding[] = [];
  const add = (node: ts.Node, problem: string, instead: string): void =>
    void findings.push(finding(source, lineOf(source.file, node), problem, instead));
  for (const node of nodesOf(source.file)) {
    if (ts.isIdentifier(node)) checkIdentifier(source, room, node, add);
    else if (ts.isCallExpression(node)) checkCall(source, node, add);
    else if (
      node.kind === ts.SyntaxKind.AsteriskAsteriskToken ||
      node.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken
    )
      add(
        node,
        "the operator **",
        "It changed at Node 24: multiply, or use pow of core/numbers/arithmetic.ts",
      );
    else if (ts.isMetaProperty(node)) add(node, "import.meta", "A file's place belongs to io");
    else if (
      (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) &&
      room !== "experiments"
    )
      add(node, "async", NO_PROMISES);
  }
  for (const { specifier, line, names } of source.imports)
    if (specifier === "simple-statistics")
      for (const name of names.filter((name) => COARSE.includes(name)))
        findings.push(
          finding(
            source,
            line,
            `${name} of simple-statistics`,
            "It is a coarse table: use core/numbers/arithmetic.ts",
          ),
        );
  return findings;
};

type Add = (node: ts.Node, problem: string, instead: string) => void;

function checkIdentifier(source: Source, room: string, node: ts.Identifier, add: Add): void {
  const { text, parent } = node;
  if (LOCALE_METHODS.includes(text) && ts.isPropertyAccessExpression(parent) && parent.name === node)
    add(node, text, "It follows the machine's locale: compare with < and >, write with String()");
  else if (text === "Math" && isGlobal(source, node)) {
    if (!ts.isPropertyAccessExpression(parent))
      add(node, "Math as a value", "Name the function: Math.sqrt, …");
    else if (!MATH.includes(parent.name.text))
      add(
        node,
        `Math.${parent.name.text}`,
        `Use core/numbers/arithmetic.ts (log, exp, pow, …); the same everywhere are Math.${MATH.join(", ")}`,
      );
  } else if (text === "Promise" && room !== "experiments" && isGlobal(source, node))
    add(node, "Promise", NO_PROMISES);
  else if (Object.hasOwn(GLOBALS, text) && isGlobal(source, node)) add(node, text, GLOBALS[text]);
}

/** `.sort()` and `.toSorted()` without a comparator compare numbers as text. */
function checkCall({ checker }: Source, node: ts.CallExpression, add: Add): void {
  const { expression } = node;
  if (!ts.isPropertyAccessExpression(expression) || node.arguments.length > 0) return;
  if (expression.name.text !== "sort" && expression.name.text !== "toSorted") return;
  const type = checker.getNonNullableType(checker.getTypeAtLocation(expression.expression));
  const name = type.symbol?.name ?? "";
  if (/^(Int|Uint|Float|BigInt|BigUint)\d+(Clamped)?Array$/.test(name)) return;
  const element = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
  if (element && element.flags & ts.TypeFlags.StringLike) return; // text is what it compares
  add(
    node,
    `.${expression.name.text}() without a comparator`,
    "It sorts numbers as text: pass (a, b) => a - b, or use a typed array",
  );
}

// ------------------------------------------------------------------------------------------- shape of files

const LONGEST_FILE = 400;
const MEDIAN_FILE = 120;
const VAGUE = ["utils", "util", "helpers", "helper", "common", "types", "misc", "shared"];

export const linesOf = ({ text }: Source): number => text.split("\n").length - 1;

export const filesAreSmallAndNamed: Rule = (source) => {
  const findings: Finding[] = [];
  const lines = linesOf(source);
  if (lines >= LONGEST_FILE)
    findings.push(finding(source, 1, `${lines} lines`, `Split it: every file stays under ${LONGEST_FILE}`));
  for (const part of source.path.replace(/(\.d)?\.ts$/, "").split("/"))
    if (VAGUE.includes(part))
      findings.push(finding(source, 1, `the name ${part}`, "Name a file or folder after what it is about"));
  if (!/^(\/\*\*?|\/\/)/.test(source.text) && !isFamilyIndex(source) && !source.path.endsWith(".d.ts"))
    findings.push(
      finding(source, 1, "no opening comment", "Say what it is, which paper or law, why this way"),
    );
  return findings;
};

export function medianIsShort(sources: readonly Source[]): Finding[] {
  const lines = sources.map(linesOf).sort((a, b) => a - b);
  const median = lines[lines.length >> 1];
  return median < MEDIAN_FILE
    ? []
    : [`src: the median file has ${median} lines. Split some: under ${MEDIAN_FILE}`];
}

/** The files that a file loads when it is loaded itself. */
export function loadedBy(
  sources: readonly Source[],
  entry: string,
): { files: Set<string>; packages: Set<string> } {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const path of files)
    for (const { specifier, isTypeOnly, isDynamic } of byPath.get(path)?.imports ?? []) {
      if (isTypeOnly || isDynamic) continue;
      if (specifier.startsWith(".")) files.add(resolve(path, specifier));
      else packages.add(specifier);
    }
  return { files, packages };
}
