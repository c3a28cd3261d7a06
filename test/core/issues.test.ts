/** Problems of a source: ten in full, the number of the rest, and no words made for those. */
import { expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { Issues } from "../../src/core/issues.js";

const messages = (issues: Issues): string[] => issues.list().map(({ message }) => message);

test.each([
  [0, 0, undefined],
  [1, 0, undefined],
  [10, 0, undefined],
  [11, 0, "a.yaml: … and 1 more"],
  [18_000, 0, "a.yaml: … and 17990 more"],
  [3, 8, "a.yaml: … and 1 more"],
  [2, 10, "a.yaml: … and 2 more"],
  [2, 8, undefined],
])("%d of them, %d told before: the rest is %s", (count, before, rest) => {
  const issues = new Issues("a.yaml", before);
  let made = 0;
  for (let i = 0; i < count; i++) issues.add(() => ({ key: "k", message: `problem ${++made}` }));
  const full = Math.min(count, Math.max(0, 10 - before));
  expect(made).toBe(full);
  expect(messages(issues)).toEqual([
    ...Array.from({ length: full }, (_, i) => `problem ${i + 1}`),
    ...(rest === undefined ? [] : [rest]),
  ]);
  if (count + before === 0) expect(() => issues.refuse()).not.toThrow();
  else expect(() => issues.refuse()).toThrow(new ConfigError(issues.list()));
});
