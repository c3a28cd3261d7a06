/** `against`: this working tree against another commit, in turns (A, B, A, B), so that both see the same machine. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { contender, OURS } from "./contender.js";
import { demo2, SCHEDULERS } from "./demo2.js";
import { assertMeasured, mean, median, table } from "./figures.js";

export const summary = "ns per request of this working tree against another commit";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function run({ isSmoke, ref, say }) {
  if (ref === undefined && !isSmoke) throw new Error("against what? give a commit: --against <ref>");
  const size = isSmoke ? { rounds: 1, seconds: 500, trials: 10 } : { rounds: 9, seconds: 5000, trials: 60 };
  // Without a commit to build, the smoke test takes this tree twice.
  const other = ref === undefined ? { folder: OURS, remove() {} } : build(ref, say);
  try {
    await compare(other.folder, ref ?? "itself", size, say);
  } finally {
    other.remove();
  }
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

/** Builds a commit in a worktree of its own, with the packages of this one. */
function build(ref, say) {
  const folder = join(mkdtempSync(join(tmpdir(), "llmsim-bench-")), "tree");
  const git = (...args) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  const remove = () => {
    git("worktree", "remove", "--force", folder);
    rmSync(join(folder, ".."), { recursive: true, force: true });
  };
  const commit = git("rev-parse", "--verify", "--end-of-options", `${ref}^{commit}`);
  git("worktree", "add", "--detach", folder, commit);
  try {
    say(`building ${commit.slice(0, 9)}`);
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    execFileSync("npm", ["run", "--silent", "build"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch (error) {
    remove();
    throw error;
  }
  return { folder: join(folder, "dist"), remove };
}
