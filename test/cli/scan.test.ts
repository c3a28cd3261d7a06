import { mkdirSync, mkdtempSync, rmSync, writeFileSync, appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, vi } from "vitest";
import { commands, fuzzCase } from "/tmp/wt/shard/test/cli/mutations.js";
import { contents, llmsim } from "/tmp/wt/shard/test/cli/session.js";
vi.mock("/tmp/wt/shard/src/io/png.js", () => ({ renderPng: (spec: object) => Promise.resolve(Buffer.from(JSON.stringify(spec))), renderSvg: () => Promise.resolve("<svg/>") }));
vi.mock("/tmp/wt/shard/src/io/gif.js", () => ({ renderGif: () => Promise.resolve({ gif: new Uint8Array(1), still: new Uint8Array(1) }) }));
test("scan", async () => {
  const all = await commands();
  const [from, to] = process.env.RANGE!.split("-").map(Number);
  const cwd = mkdtempSync(join(tmpdir(), "llmsim-"));
  for (let n = from!; n < to!; n++) {
    const { argv, files } = fuzzCase(n, all);
    mkdirSync(cwd, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
    const before = Object.keys(contents(cwd));
    const s = performance.now();
    const { code, stdout, stderr } = await llmsim(argv, { cwd });
    const ms = performance.now() - s;
    const after = contents(cwd);
    const why = [];
    if (![0,1,2,4].includes(code)) why.push("code"+code);
    if (/\n\s+at |bug in llmsim|\[object|undefined/.test(stderr)) why.push("text");
    if (code === 2 && Object.keys(after).join() !== before.join()) why.push("files "+Object.keys(after).join());
    if (code === 2 && stdout !== "") why.push("stdout");
    if (stderr.length > 20000) why.push("long");
    if (ms > 4000) why.push("slow");
    appendFileSync("/tmp/wt/shard-try/times", `${ms.toFixed(0)} ${n} ${code} ${JSON.stringify(argv).slice(0, 200)}\n`);
    if (why.length) appendFileSync("/tmp/wt/shard-try/found", `${why} ${n} ${ms.toFixed(0)} ${JSON.stringify(argv).slice(0, 400)}\n${stderr.slice(0, 700)}\n\n`);
    rmSync(cwd, { recursive: true });
  }
}, 7_200_000);
