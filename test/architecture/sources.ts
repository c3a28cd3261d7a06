/**
 * The sources as the compiler reads them: syntax trees of every file, and types as far as they come from the
 * sources themselves and from the language. Packages are not looked into, so this takes no longer than a lint.
 */
import ts from "typescript";

export interface Source {
  /** Path under src, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly file: ts.SourceFile;
  readonly checker: ts.TypeChecker;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Nothing of it is left when the types are stripped. */
  readonly isTypeOnly: boolean;
  /** Loaded when a command runs, not when the file is. */
  readonly isDynamic: boolean;
  readonly names: readonly string[];
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2023.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
  types: [],
};

/** The language's own declarations, read once. */
const LANGUAGE = new Map<string, ts.SourceFile | undefined>();

/** A program over these sources, given as text by path under src. */
export function sourcesOf(texts: ReadonlyMap<string, string>): Source[] {
  const absolute = (path: string): string => `/src/${path}`;
  const files = new Map([...texts].map(([path, text]) => [absolute(path), text]));
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, version) => {
    if (files.has(name)) return ts.createSourceFile(name, files.get(name)!, version, true);
    if (!LANGUAGE.has(name)) LANGUAGE.set(name, getSourceFile(name, version));
    return LANGUAGE.get(name);
  };
  host.directoryExists = () => true;
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => {
      const target = text.startsWith(".") ? absolute(resolve(from.slice("/src/".length), text)) : "";
      return {
        resolvedModule: files.has(target)
          ? { resolvedFileName: target, extension: ts.Extension.Ts, isExternalLibraryImport: false }
          : undefined,
      };
    });
  const program = ts.createProgram([...files.keys()], OPTIONS, host);
  const checker = program.getTypeChecker();
  return [...texts].map(([path, text]) => {
    const file = program.getSourceFile(absolute(path))!;
    let imports: readonly Import[] | undefined;
    // Not every rule asks for them.
    return {
      ...{ path, text, file, checker },
      get imports() {
        return (imports ??= importsOf(file));
      },
    };
  });
}

/** `./x.js` as seen from a file under src: the path of the source under src. */
export function resolve(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/"))
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  return parts.join("/").replace(/\.js$/, ".ts");
}

export const lineOf = (file: ts.SourceFile, node: ts.Node): number =>
  file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;

/** Every node below `node`, itself included, as they are read; comments are no nodes. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  const left = [node];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield next;
    const children: ts.Node[] = [];
    ts.forEachChild(next, (child) => void children.push(child));
    left.push(...children.reverse());
  }
}

function importsOf(file: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (module: ts.Node | undefined, node: ts.Node, more: Partial<Import> = {}): void => {
    if (module === undefined || !ts.isStringLiteralLike(module)) return;
    const plain = { isTypeOnly: false, isDynamic: false, names: [], ...more };
    imports.push({ specifier: module.text, line: lineOf(file, node), ...plain });
  };
  for (const node of nodesOf(file)) {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node, bindingsOf(node.importClause));
    else if (ts.isExportDeclaration(node))
      add(node.moduleSpecifier, node, { isTypeOnly: isTypeOnlyExport(node) });
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, node, { isTypeOnly: true });
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], node, { isDynamic: true });
  }
  return imports;
}

function bindingsOf(clause: ts.ImportClause | undefined): Partial<Import> {
  const named = clause?.namedBindings;
  if (clause === undefined) return {};
  if (named === undefined || ts.isNamespaceImport(named)) return { isTypeOnly: clause.isTypeOnly };
  return {
    isTypeOnly: clause.isTypeOnly || (!clause.name && named.elements.every((element) => element.isTypeOnly)),
    names: named.elements.map((element) => (element.propertyName ?? element.name).text),
  };
}

const isTypeOnlyExport = (node: ts.ExportDeclaration): boolean =>
  node.isTypeOnly ||
  (node.exportClause !== undefined &&
    ts.isNamedExports(node.exportClause) &&
    node.exportClause.elements.every((element) => element.isTypeOnly));
