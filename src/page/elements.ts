/** Elements of the page, made and found. Text is always text: nothing here parses HTML. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string;

/** A new element with attributes (false and undefined: none) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : String(value));
  made.append(...children);
  return made;
}

/** The element of the page with that id; the template has it. */
export function the<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found as T;
}

/** A table of texts; the first column heads its row. */
export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): HTMLTableElement {
  return element(
    "table",
    {},
    ...(caption ? [element("caption", {}, caption)] : []),
    element("thead", {}, element("tr", {}, ...columns.map((one) => element("th", { scope: "col" }, one)))),
    element(
      "tbody",
      {},
      ...rows.map((row) =>
        element(
          "tr",
          {},
          ...row.map((cell, i) =>
            i === 0 ? element("th", { scope: "row" }, cell) : element("td", {}, cell),
          ),
        ),
      ),
    ),
  );
}

/** Whether the reader's system asks for dark. */
export const isDark = (): boolean => matchMedia("(prefers-color-scheme: dark)").matches;
