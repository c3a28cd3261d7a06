/**
 * Builds dist/page/explore.html: one file with the page's style, program and worker inside, and the policy that lets
 * exactly these run. The bundler is rolldown, which installs no scripts; what is bundled is named with its licence.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = new URL("../", import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));
const text = (path) => readFileSync(at(path), "utf8");

/** One module and all that it imports, as a classic script; `packages` collects whose code is in it. */
async function bundled(entry, packages) {
  const bundle = await rolldown({
    input: at(entry),
    platform: "browser",
    logLevel: "warn",
    onLog(level, log) {
      throw new Error(`the page cannot be built: ${level}: ${log.message}`);
    },
  });
  const { output } = await bundle.generate({ format: "iife", minify: true, comments: false });
  await bundle.close();
  if (output.length !== 1) throw new Error(`${entry}: ${output.length} files instead of one`);
  const [{ code, moduleIds }] = output;
  for (const id of moduleIds) {
    const found = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id.replaceAll("\\", "/"));
    if (found) packages.set(found[1], found[0]);
  }
  // Inside a script element nothing may look like its end, or like a comment that opens another.
  return code.trim().replace(/<(?=\/script|script|!--)/gi, "\\x3C");
}

/** The licence of a package: what it calls it, and its text. */
function licence([name, folder]) {
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  return `${name} ${version}, ${license}\n\n${file ? readFileSync(`${folder}/${file}`, "utf8").trim() : ""}`;
}

const hash = (content) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
const escaped = (content) => content.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

const packages = new Map();
const script = await bundled("src/page/main.ts", packages);
const worker = await bundled("src/page/worker.ts", packages);
const style = `${text("node_modules/uplot/dist/uPlot.min.css").trim()}\n${text("src/page/explore.css").trim()}`;
const policy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  "worker-src blob:",
  `style-src ${hash(style)}`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
const parts = {
  POLICY: policy,
  STYLE: style,
  SCRIPT: script,
  WORKER: worker,
  LICENCES: escaped(
    [...packages]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(licence)
      .join("\n\n----\n\n"),
  ),
};
const html = text("src/page/explore.html").replace(/\{\{(\w+)\}\}/g, (place, name) => parts[name] ?? place);
mkdirSync(at("dist/page"), { recursive: true });
writeFileSync(at("dist/page/explore.html"), html);
