/** `against`: this working tree against another commit, in turns (A, B, A, B), so that both see the same machine. */
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { contender, OURS } from "./contender.js";
import { demo2, SCHEDULERS } from "./demo2.js";
import { assertMeasured, mean, median, table } from "./figures.js";
import { temporaryFolder } from "./temporary.js";

export const summary = "ns per request of this working tree against another commit";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function run({ isSmoke, ref, say }) {
  if (ref === undefined && !isSmoke) throw new Error("against what? give a commit: --against <ref>");
  const size = isSmoke ? { rounds: 1, seconds: 500, trials: 10 } : { rounds: 9, seconds: 5000, trials: 60 };
  // Without a commit to build, the smoke test takes this tree twice.
  await compare(ref === undefined ? OURS : build(ref, say), ref ?? "itself", size, say);
}

async function compare(folder, name, { rounds, seconds, trials }, say) {
  const sides = [contender(OURS), contender(folder)];
  const found = SCHEDULERS.map(() => [[], []]);
  try {
    for (let round = 0; round <= rounds; round++)
      for (const [i, { kind }] of SCHEDULERS.entries())
        for (const [j, side] of sides.entries()) {
          const { total } = await side.round(demo2(kind, { tmaxSeconds: seconds }), trials);
          if (round > 0) found[i][j].push(total); // the first warms up
        }
  } finally {
    for (const side of sides) side.stop();
  }
  const rows = found.map(([here, there]) => ({
    here: median(here),
    there: median(there),
    ratio: median(here.map((ns, round) => ns / there[round])),
  }));
  rows.push({
    here: mean(rows.map(({ here }) => here)),
    there: mean(rows.map(({ there }) => there)),
    ratio: mean(rows.map(({ ratio }) => ratio)),
  });
  rows.forEach(assertMeasured);
  say(
    `demo2, λ = 2, T = ${seconds} s, ns of processor time per request, median of ${rounds} rounds in turns`,
  );
  say(
    table([
      ["", "here", name, "ratio (below 1: here is faster)"],
      ...rows.map(({ here, there, ratio }, i) => [
        SCHEDULERS[i]?.kind ?? "average",
        here.toFixed(0),
        there.toFixed(0),
        ratio.toFixed(3),
      ]),
    ]),
  );
}

/** Builds a commit in a worktree of its own, with the packages of this one. @returns the folder of the build */
function build(ref, say) {
  const git = (...args) =>
    execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  let commit;
  try {
    commit = git("rev-parse", "--verify", "--end-of-options", `${ref}^{commit}`);
  } catch (error) {
    throw new Error(`no such commit: ${ref}`, { cause: error });
  }
  const tree = (folder) => join(folder, "tree");
  const folder = temporaryFolder((gone) => git("worktree", "remove", "--force", tree(gone)));
  git("worktree", "add", "--detach", tree(folder), commit);
  say(`building ${commit.slice(0, 9)}`);
  symlinkSync(join(ROOT, "node_modules"), join(tree(folder), "node_modules"));
  execFileSync("npm", ["run", "--silent", "build"], {
    cwd: tree(folder),
    stdio: ["ignore", "ignore", "inherit"],
  });
  return join(tree(folder), "dist");
}
