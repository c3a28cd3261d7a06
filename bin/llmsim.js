#!/usr/bin/env node
// What cannot even be loaded is told as everything else is: a stack trace is a bug of this program.
const { runProcess } = await import("../dist/bundle/main.js").catch((error) => {
  if (error.code !== "EMFILE" && error.code !== "ENFILE") throw error;
  process.stderr.write("error: too many open files (ulimit -n allows too few)\n");
  process.exit(2);
});

await runProcess();
