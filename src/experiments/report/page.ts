/**
 * A report as a document: sections of sentences, tables and figures, written as one HTML page that opens without a
 * network in any year, and as Markdown. Text first, a table under each figure; every text is escaped.
 */
import { inALine } from "../../core/foreign-words.js";

export interface TableOf {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Picture {
  /** The figure's path under the figures folder. */
  readonly path: string;
  /** What it shows, in words. */
  readonly words: string;
}

export interface Section {
  readonly title: string;
  /** What was asked. */
  readonly question?: string;
  /** What the data say: sentences computed from them. */
  readonly says: readonly string[];
  readonly table?: TableOf;
  readonly figures: readonly Picture[];
  /** The command that makes these numbers again. */
  readonly command?: string;
  /** Which tables they come from, and whether these are what the manifest lists. */
  readonly sources: readonly string[];
}

export interface Document {
  readonly title: string;
  readonly lead: readonly string[];
  readonly sections: readonly Section[];
}

/** Text inside HTML, in elements and in quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,"DejaVu Sans",sans-serif;max-width:60rem;margin:0 auto;padding:1rem;background:#fff;color:#222}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.2rem;border-top:1px solid #ccc;padding-top:.8rem}.quiet{color:#595959;font-size:.9rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums}th,td{padding:.15rem .8rem .15rem 0;text-align:right;border-bottom:1px solid #ccc;white-space:nowrap}th:first-child{text-align:left}th{font-weight:500}
figure{margin:1rem 0}img{max-width:100%;height:auto;background:#fff;border-radius:4px}code{background:#f1f2f4;padding:.1rem .3rem;border-radius:3px;overflow-wrap:anywhere}a{color:#0059a8}
@media(prefers-color-scheme:dark){body{background:#16181d;color:#eee}.quiet{color:#b0b0b0}code{background:#272b33}h2,th,td{border-color:#43474f}a{color:#7ab8ff}}`;

const anchor = (title: string): string => title.toLowerCase().replace(/[^a-z0-9]+/g, "-");

/** An SVG as the address of an image: what an address may not hold is escaped, and then what an attribute may not. */
const imageOf = (svg: string): string =>
  escapeHtml(`data:image/svg+xml,${svg.replace(/%/g, "%25").replace(/#/g, "%23")}`);

/**
 * The document as HTML.
 * @param svgs figures by path, as SVG
 * @param hashOf what a Content-Security-Policy calls a text
 */
export function toHtml(
  { title, lead, sections }: Document,
  svgs: ReadonlyMap<string, string>,
  hashOf: (text: string) => string,
): string {
  const e = escapeHtml;
  const policy = `default-src 'none'; style-src ${hashOf(STYLE)}; img-src data:; base-uri 'none'; form-action 'none'`;
  const table = ({ columns, rows }: TableOf): string =>
    `<div class="scroll"><table><thead><tr>${columns.map((one) => `<th scope="col">${e(one)}</th>`).join("")}</tr></thead><tbody>${rows
      .map(
        (row) =>
          `<tr>${row.map((cell, i) => (i === 0 ? `<th scope="row">${e(cell)}</th>` : `<td>${e(cell)}</td>`)).join("")}</tr>`,
      )
      .join("\n")}</tbody></table></div>`;
  const section = (one: Section): string =>
    [
      `<section><h2 id="${anchor(one.title)}">${e(one.title)}</h2>`,
      ...(one.question === undefined ? [] : [`<p class="quiet">${e(one.question)}</p>`]),
      ...one.says.map((sentence) => `<p>${e(sentence)}</p>`),
      ...one.figures.flatMap(({ path, words }) => {
        const svg = svgs.get(path);
        return svg === undefined ? [] : [`<figure><img src="${imageOf(svg)}" alt="${e(words)}"></figure>`];
      }),
      ...(one.table ? [table(one.table)] : []),
      ...(one.command === undefined ? [] : [`<p>Again: <code>${e(one.command)}</code></p>`]),
      ...(one.sources.length === 0 ? [] : [`<p class="quiet">${e(one.sources.join("; "))}</p>`]),
      "</section>",
    ].join("\n");
  return `${[
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
    `<title>${e(title)}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head><body>`,
    `<main><h1>${e(title)}</h1>`,
    ...lead.map((sentence) => `<p>${e(sentence)}</p>`),
    `<nav aria-label="contents"><ul>${sections.map(({ title: t }) => `<li><a href="#${anchor(t)}">${e(t)}</a></li>`).join("")}</ul></nav>`,
    ...sections.map(section),
    "</main></body></html>",
  ].join("\n")}\n`;
}

/** Text in Markdown: nothing in it is markup. */
const plainText = (text: string): string => inALine(text).replace(/[\\`*_{}[\]<>#|~]/g, (c) => `\\${c}`);

/** As a span of code: between more backticks than the text has in a row. */
function codeSpan(command: string): string {
  const text = inALine(command);
  let fence = "`";
  while (text.includes(fence)) fence += "`";
  return fence === "`" ? `\`${text}\`` : `${fence} ${text} ${fence}`;
}

/** The document as Markdown; `linkTo` says where a figure is. */
export function toMarkdown({ title, lead, sections }: Document, linkTo: (path: string) => string): string {
  const p = plainText;
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const parts = [`# ${p(title)}`, ...lead.map(p)];
  for (const one of sections) {
    parts.push(`## ${p(one.title)}`);
    if (one.question !== undefined) parts.push(`*${p(one.question)}*`);
    parts.push(...one.says.map(p));
    for (const { path, words } of one.figures)
      parts.push(`![${p(words)}](<${linkTo(path).replace(/[<>]/g, (c) => `\\${c}`)}>)`);
    if (one.table)
      parts.push(
        [
          one.table.columns.map(p),
          one.table.columns.map(() => "---"),
          ...one.table.rows.map((row) => row.map(p)),
        ]
          .map(line)
          .join("\n"),
      );
    if (one.command !== undefined) parts.push(`Again: ${codeSpan(one.command)}`);
    if (one.sources.length > 0) parts.push(p(one.sources.join("; ")));
  }
  return `${parts.join("\n\n")}\n`;
}
