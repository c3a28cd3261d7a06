/** The pages that come with the package, built by scripts/build-page.js: each one file, with a place for data. */
import { fileURLToPath } from "node:url";
import { isMissing } from "./file-error.js";
import { FileError, type FileSystem } from "./files.js";

/** The page's HTML. */
export async function readPage(name: string, files: FileSystem): Promise<string> {
  const url = new URL(`../../dist/page/${name}.html`, import.meta.url);
  try {
    return await files.readText(fileURLToPath(url));
  } catch (error) {
    if (!(error instanceof FileError && isMissing(error))) throw error;
    throw new FileError("read", `page/${name}.html`, "not in the package (npm run build makes it)");
  }
}
