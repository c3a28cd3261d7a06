/** `startup`: how long help and the version take, against Node alone. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { assertMeasured, median, table, wanted } from "./figures.js";

export const summary = "llmsim --help and --version against node -e 0";

const PROGRAM = fileURLToPath(new URL("../../bin/llmsim.js", import.meta.url));
const COMMANDS = [
  ["node -e 0", ["-e", "0"]],
  ["llmsim --help", [PROGRAM, "--help"]],
  ["llmsim --version", [PROGRAM, "--version"]],
];

export function run({ isSmoke, say }) {
  const rounds = isSmoke ? 1 : 15;
  const found = COMMANDS.map(() => []);
  for (let round = -1; round < rounds; round++)
    for (const [i, [name, args]] of COMMANDS.entries()) {
      const started = process.hrtime.bigint();
      const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
      const ns = Number(process.hrtime.bigint() - started);
      if (status !== 0) throw new Error(`${name}: exit code ${status}`);
      if (round >= 0) found[i].push(ns / 1e6); // the first fills the file cache
    }
  const [alone, ...others] = found.map(median);
  assertMeasured({ alone, ...others });
  say(
    table([
      ["", "ms", `of node -e 0, medians of ${rounds}`],
      [COMMANDS[0][0], alone.toFixed(0), "1.00"],
      ...others.map((ms, i) => [COMMANDS[i + 1][0], ms.toFixed(0), wanted(ms / alone, "≤", 2)]),
    ]),
  );
}
