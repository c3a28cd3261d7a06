/**
 * `--verify` and LLMSIM_PLAIN as a user meets them: the plain loop gives the same bytes, a scheduler's false promise
 * is an error with its name, and nothing is written then.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import { listing, llmsim, test } from "./session.js";

vi.mock("../../src/io/png.js", () => import("./output/light-pictures.js"));

const small = "--tmax 20 --ntrials 2 --quiet --json --workers 0";

test.for([
  `run ${small} --lam 6 --scheduler vllm,sarathi,hybrid --kv-tokens 3000`,
  `sweep-time --scenario demo2 --windows 4 ${small}`,
  `stability --scenario demo2 --scheduler hybrid --lambdas 3 --precision 0.2 ${small}`,
])("%s: the same document without the fast paths, and verified", async (argv, { folder }) => {
  const outputs = [];
  for (const [how, env] of [
    ["", {}],
    ["", { LLMSIM_PLAIN: "1" }],
    [" --verify", {}],
  ] as const) {
    const { code, stdout, stderr } = await llmsim(argv + how, { cwd: folder, env });
    expect([code, stderr]).toEqual([0, ""]);
    outputs.push(stdout);
  }
  expect(outputs[1]).toBe(outputs[0]);
  expect(outputs[2]).toBe(outputs[0]);
});

test("LLMSIM_PLAIN is 1 or 0", async ({ folder }) => {
  const { code, stderr } = await llmsim(`run ${small}`, { cwd: folder, env: { LLMSIM_PLAIN: "yes" } });
  expect([code, stderr]).toEqual([2, "error: invalid LLMSIM_PLAIN: yes (1 or 0)\n"]);
});

describe("a plugin's false promise", () => {
  const write = (folder: string, body: string): void =>
    writeFileSync(
      join(folder, "mine.mjs"),
      `const compose = (view, batch) => {
         batch.decode(Math.min(view.decodable, 4, batch.slotsLeft, batch.tokensLeft));
         batch.pack();
       };
       export default { name: "mine", create: () => (${body}) };`,
    );

  test("of decodesAll, kept up to four decodes: exit 2, whatever the flags", async ({ folder }) => {
    write(folder, "{ decodesAll: () => 1000, compose }");
    const { code, stderr, stdout } = await llmsim(
      `run ${small} --lam 6 --plugin mine.mjs --scheduler mine --requests rows.csv`,
      { cwd: folder },
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /^error: plugin mine\.mjs: scheduler mine, iteration \d+: the promise decodesAll: 1000 does not hold: of 5 decoding sequences the batch has 4, and 0 prompts\n$/,
    );
    expect(listing(folder)).toEqual(["mine.mjs"]);
  });

  test('of dependsOn("nothing"): --verify finds it', async ({ folder }) => {
    write(folder, `{ compose(view, batch) { compose(view, batch); batch.dependsOn("nothing"); } }`);
    const argv = `run ${small} --lam 6 --plugin mine.mjs --scheduler mine`;
    expect((await llmsim(argv, { cwd: folder })).code).toBe(0);
    const { code, stderr } = await llmsim(`${argv} --verify`, { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: plugin mine\.mjs: scheduler mine: a promise does not hold \(.*\): request \d+: /,
    );
  });
});
