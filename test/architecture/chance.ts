/**
 * What keeps the suite free of chance: no clock in an `expect` but for marked lower bounds, nothing drawn that does not
 * follow from the seed of the suite. Each finding says where, what, and what to do instead.
 */
import ts from "typescript";
import { lineOf, nodesOf, type Source } from "./sources.js";

/** The variable that LLMSIM_TEST_SEED has replaced. */
export const FORMER_SEED = ["LLMSIM", "PROPERTY", "SEED"].join("_");
/** What marks a lower bound on time, at the end of its line. */
export const MARK = "// a lower bound";
/** The only file that tells fast-check its seed. */
const SETUP = "setup.ts";

const CLOCKS = [
  "Date",
  "Date.now",
  "performance.now",
  "process.hrtime",
  "process.hrtime.bigint",
  "process.uptime",
  "process.cpuUsage",
];
const UNSEEDED = [
  "randomBytes",
  "randomInt",
  "randomUUID",
  "randomFill",
  "randomFillSync",
  "getRandomValues",
];
const PROPERTIES = ["fc.assert", "fc.check", "fc.sample", "fc.statistics"];
const CONFIGURES = "configureGlobal";
const MATH_RANDOM = /Math(\.random|\[.random.\])/;
const LOWER_BOUNDS = ["toBeGreaterThan", "toBeGreaterThanOrEqual"];
const ADDS = ["push", "unshift", "add", "set"];

/** Whether a text has a word of those that are looked for: without one there is nothing to be found. */
export const mayHoldChance = (text: string): boolean =>
  namesClock({ text }) ||
  MATH_RANDOM.test(text) ||
  [...UNSEEDED, ...PROPERTIES, CONFIGURES, FORMER_SEED].some((word) => text.includes(word));

export function testsAreFreeOfChance(source: Source): string[] {
  const finding = (node: ts.Node, problem: string, instead: string): string =>
    `test/${source.path}:${lineOf(source.file, node)}: ${problem}. ${instead}`;
  const findings: string[] = [];
  const hasClock = namesClock(source);
  const time = timesOf(source);
  for (const node of nodesOf(source.file)) {
    if (hasClock && ts.isCallExpression(node) && isExpect(node) && holdsTime(source, time, chainOf(node))) {
      if (!isLowerBound(source, time, chainOf(node)))
        findings.push(finding(node, "a clock in an expect", "Count work; seconds belong to test/bench"));
    }
    if (isRandom(node))
      findings.push(finding(node, "Math.random", "Draw from fast-check or stream(SEED, …) of test/seed.ts"));
    if (ts.isIdentifier(node) && UNSEEDED.includes(node.text))
      findings.push(finding(node, node.text, "Draw from fast-check or stream(SEED, …) of test/seed.ts"));
    if (ts.isCallExpression(node) && PROPERTIES.includes(node.expression.getText()) && isSeeded(source, node))
      findings.push(finding(node, "a property with a seed of its own", "All draw from the suite's seed"));
    if (ts.isIdentifier(node) && node.text === CONFIGURES && source.path !== SETUP)
      findings.push(finding(node, "fc.configureGlobal", `test/${SETUP} tells fast-check its seed`));
  }
  const former = source.text.split("\n").findIndex((line) => line.includes(FORMER_SEED));
  if (former >= 0) findings.push(`test/${source.path}:${former + 1}: ${FORMER_SEED}. Use LLMSIM_TEST_SEED`);
  return findings;
}

/** `expect(…)`, `expect.soft(…)` or `expect.poll(…)`. */
const isExpect = ({ expression }: ts.CallExpression): boolean =>
  ["expect", "expect.soft", "expect.poll"].includes(expression.getText());

/** The call with all that is asked of it: `expect(x).not.toBe(y)`. */
function chainOf(call: ts.Expression): ts.Expression {
  const { parent } = call;
  const goesOn =
    (ts.isPropertyAccessExpression(parent) || ts.isCallExpression(parent)) && parent.expression === call;
  return goesOn ? chainOf(parent) : call;
}

function isLowerBound(source: Source, time: ReadonlySet<ts.Symbol>, chain: ts.Expression): boolean {
  if (!ts.isCallExpression(chain) || !ts.isPropertyAccessExpression(chain.expression)) return false;
  const { expression: asked, name } = chain.expression;
  if (!LOWER_BOUNDS.includes(name.text) || !ts.isCallExpression(asked)) return false; // `.not` is no call
  if (chain.arguments.some((bound) => holdsTime(source, time, bound))) return false;
  const rest = source.text.slice(chain.end).split("\n", 1)[0];
  return rest.includes(MARK);
}

const isRandom = (node: ts.Node): boolean =>
  (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) &&
  new RegExp(`^${MATH_RANDOM.source}$`).test(node.getText());

/** Whether a call's options, written there or in a variable, name a seed. */
function isSeeded({ checker }: Source, call: ts.CallExpression): boolean {
  const names = (node: ts.Node): boolean => {
    if (ts.isObjectLiteralExpression(node))
      return node.properties.some(
        (one) =>
          one.name?.getText() === "seed" || (ts.isSpreadAssignment(one) && [...nodesOf(one)].some(names)),
      );
    if (!ts.isIdentifier(node)) return false;
    const declared = checker.getSymbolAtLocation(node)?.valueDeclaration;
    return (
      declared !== undefined &&
      ts.isVariableDeclaration(declared) &&
      !!declared.initializer &&
      names(declared.initializer)
    );
  };
  return call.arguments.slice(1).some(names);
}

// ---------------------------------------------------------------------- which variables hold a time, within a file

/** Most files name no clock, and are not looked into any further. */
const namesClock = ({ text }: { readonly text: string }): boolean =>
  CLOCKS.some((clock) => text.includes(clock));

/** The variables and functions that a clock has flown into, by initializers, assignments and returns. */
function timesOf(source: Source): ReadonlySet<ts.Symbol> {
  const time = new Set<ts.Symbol>();
  if (!namesClock(source)) return time;
  const nodes = [...nodesOf(source.file)];
  const mark = (node: ts.Node): void => {
    for (const name of nodesOf(rootOf(node))) {
      const symbol = ts.isIdentifier(name) ? source.checker.getSymbolAtLocation(name) : undefined;
      if (symbol) time.add(symbol);
    }
  };
  for (let before = -1; time.size > before;) {
    before = time.size;
    for (const node of nodes) {
      const flow = flowOf(node);
      if (flow && holdsTime(source, time, flow.from)) mark(flow.to);
    }
  }
  return time;
}

/** What a declaration, assignment or call moves, and where to. */
function flowOf(node: ts.Node): { from: ts.Node; to: ts.Node } | undefined {
  if (ts.isVariableDeclaration(node) && node.initializer) return { from: node.initializer, to: node.name };
  if (ts.isFunctionDeclaration(node) && node.name) return { from: node, to: node.name };
  if (ts.isForOfStatement(node) && ts.isVariableDeclarationList(node.initializer))
    return { from: node.expression, to: node.initializer.declarations[0].name };
  if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind))
    return { from: node.right, to: node.left };
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { name, expression } = node.expression;
  const last = node.arguments.at(-1);
  return last && ADDS.includes(name.text) ? { from: last, to: expression } : undefined;
}

const isAssignment = (kind: ts.SyntaxKind): boolean =>
  kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;

/** Of `a.b[c]` the variable a. */
const rootOf = (node: ts.Node): ts.Node =>
  ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) ? rootOf(node.expression) : node;

/** Whether a clock is read in an expression, or in what a function within it returns. */
function holdsTime(source: Source, time: ReadonlySet<ts.Symbol>, node: ts.Node): boolean {
  if (ts.isFunctionLike(node)) return returnsOf(node).some((value) => holdsTime(source, time, value));
  if (ts.isCallExpression(node) && CLOCKS.includes(node.expression.getText())) return true;
  if (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length)
    return true;
  if (ts.isIdentifier(node) && !isMemberName(node)) {
    const symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? source.checker.getShorthandAssignmentValueSymbol(node.parent)
      : source.checker.getSymbolAtLocation(node);
    if (symbol && time.has(symbol)) return true;
  }
  return ts.forEachChild(node, (child) => holdsTime(source, time, child) || undefined) ?? false;
}

const isMemberName = (node: ts.Identifier): boolean =>
  ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;

/** The values that a function itself returns, not those within it. */
function returnsOf(node: ts.SignatureDeclaration): ts.Node[] {
  const body = (node as ts.FunctionLikeDeclaration).body;
  if (body === undefined) return [];
  if (!ts.isBlock(body)) return [body];
  const found: ts.Node[] = [];
  const look = (inner: ts.Node): void => {
    if (ts.isFunctionLike(inner)) return;
    if (ts.isReturnStatement(inner) && inner.expression) found.push(inner.expression);
    ts.forEachChild(inner, look);
  };
  look(body);
  return found;
}
