import regexp from "eslint-plugin-regexp";
import tseslint from "typescript-eslint";

// Rules of the house that need imports or names are tests (test/architecture.test.ts);
// here stands what a linter does best: promises nobody awaits, unsafe any, dead code, and patterns that take the square
// of a text's length: texts come from others (test/architecture/patterns.test.ts).
export default tseslint.config(
  { ignores: ["dist/", "coverage/", "node_modules/"] },
  ...tseslint.configs.strict,
  {
    files: ["src/**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeCheckedOnly],
    languageOptions: { parserOptions: { project: ["./tsconfig.json", "./tsconfig.page.json"] } },
  },
  {
    files: ["src/**", "bin/**", "scripts/**", "examples/**"],
    plugins: { regexp },
    rules: {
      "regexp/no-super-linear-backtracking": ["error", { report: "potential" }],
      "regexp/no-super-linear-move": ["error", { report: "potential" }],
    },
  },
  {
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": "off",
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/unified-signatures": "off",
      eqeqeq: "error",
      "prefer-const": "error",
    },
  },
  {
    // Who reads a function sees it whole. One that is better whole says why, where it turns the rule off.
    files: ["src/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 350 }],
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true, IIFEs: true }],
    },
  },
);
