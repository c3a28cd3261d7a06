/**
 * Shows a page that was written: opens it in the user's browser, or serves it on loopback. The server answers one
 * address with one file, to requests that name this machine: another site's page cannot read it (DNS rebinding).
 */
import { spawn } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Shown } from "../../experiments/interface/report.js";
import type { Streams } from "../streams.js";

/** Answers GET / with the page and nothing else, and only under the names of this machine. */
export const answering =
  (page: () => Promise<string>): RequestListener =>
  (request, response) => {
    const refuse = (status: number, text: string): void => {
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
    };
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    if (host !== "127.0.0.1" && host !== "localhost") return refuse(403, "not this machine's name\n");
    if (request.method !== "GET" && request.method !== "HEAD") return refuse(405, "GET only\n");
    if (request.url?.split("?")[0] !== "/") return refuse(404, "no such page\n");
    page().then(
      (text) => {
        response.writeHead(200, {
          "content-type": "text/html; charset=utf-8",
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
        });
        response.end(request.method === "HEAD" ? undefined : text);
      },
      () => refuse(500, "the page cannot be read\n"),
    );
    return undefined;
  };

/** @param folder the data folder, absolute */
export async function show(
  { path, serve, open }: Shown,
  folder: string,
  { stdout, stderr, fs, signal }: Streams,
  isQuiet: boolean,
): Promise<void> {
  const file = join(folder, path);
  if (!serve) {
    if (open) openInBrowser(pathToFileURL(file).href, stderr);
    return;
  }
  const server = createServer(answering(() => fs.readText(file)));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  if (!isQuiet) stdout.write(`serving ${address} (Ctrl-C ends it)\n`);
  if (open) openInBrowser(address, stderr);
  if (!signal?.aborted)
    await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** The system's own way to open an address. */
function openInBrowser(address: string, stderr: Streams["stderr"]): void {
  const [command, ...rest] =
    process.platform === "darwin"
      ? ["open"]
      : process.platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler"]
        : ["xdg-open"];
  const child = spawn(command, [...rest, address], { stdio: "ignore", detached: true });
  child.on("error", () => stderr.write(`note: no browser could be opened; the page is ${address}\n`));
  child.unref();
}
