/**
 * `npm run bench`: how fast the simulator is, and against what.
 *
 *   npm run bench                      every part but those that need the network, valgrind or another commit
 *   npm run bench -- speed growth      some parts
 *   npm run bench -- instructions      what the loop executes, counted by valgrind
 *   npm run bench -- --against main    this working tree against a commit, in turns
 *   npm run bench -- inference-lab     another simulator on a like workload (installs it into a temporary folder)
 *   npm run bench -- --smoke           every part at a tiny size: that they run, not how fast
 *
 * Machines are noisy: compare ratios of one run, and look at the load that is printed first.
 */
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";

const USUAL = [
  "speed",
  "windows",
  "growth",
  "workers",
  "startup",
  "answers",
  "replay",
  "reproduce",
  "page",
  "queue",
];
const ASKED_FOR = ["inference-lab", "instructions", "against"];

/** Command line to what is to be done; throws a message for people. */
function wishes() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { smoke: { type: "boolean", default: false }, against: { type: "string" } },
  });
  const unknown = positionals.find((part) => ![...USUAL, ...ASKED_FOR].includes(part));
  if (unknown !== undefined)
    throw new Error(`unknown part: ${unknown} (one of: ${[...USUAL, ...ASKED_FOR].join(", ")})`);
  const named = values.against === undefined ? positionals : [...new Set([...positionals, "against"])];
  const usual = values.smoke ? [...USUAL, "against"] : USUAL;
  return { parts: named.length > 0 ? named : usual, isSmoke: values.smoke, ref: values.against };
}

const say = (text) => console.log(text);

async function runParts({ parts, ...wish }) {
  const load = loadavg()[0].toFixed(2);
  say(`Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model}), load ${load}`);
  for (const name of parts) {
    const part = await import(`./${name}.js`);
    say(`\n${name}: ${part.summary}`);
    await part.run({ ...wish, say });
  }
}

let wish;
try {
  wish = wishes();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(2);
}
await runParts(wish);
