/**
 * A process that takes a lock, is inside for a while and leaves: LOCK, NAME, and the how-manieth call of the file system
 * it pauses before (0: none). It meets the test in files beside the lock: NAME.paused, then it waits for NAME.go;
 * NAME.in, then it waits for NAME.leave. Who finds another inside says so.
 */
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { takeLock } from "../../../dist/cli/files/lock.js";
import { nodeFiles } from "../../../dist/io/files.js";

const [path, name, pauseAt] = process.argv.slice(2);
let isIn = false;
const at = (file) => join(dirname(path), file);
const until = async (file) => {
  while (!existsSync(at(file))) await new Promise((resolve) => setTimeout(resolve, 1));
};
let calls = 0;
const fs = Object.fromEntries(
  Object.entries(nodeFiles).map(([key, call]) => [
    key,
    async (...given) => {
      if (!isIn && ++calls === Number(pauseAt)) {
        writeFileSync(at(`${name}.paused`), "");
        await until(`${name}.go`);
      }
      return call(...given);
    },
  ]),
);
try {
  const lock = await takeLock(path, "the lock", fs, () => {});
  isIn = true;
  try {
    closeSync(openSync(at("inside"), "wx"));
  } catch {
    process.stdout.write("another is inside");
    process.exit();
  }
  writeFileSync(at(`${name}.in`), "");
  await until(`${name}.leave`);
  rmSync(at("inside"));
  await lock.release();
  process.stdout.write("was in");
} catch (error) {
  process.stdout.write(error.message.includes("another run of these settings") ? "refused" : String(error));
}
