import { describe, expect, it } from "vitest";
import {
  foldersAreNouns,
  importDirection,
  natsStaysBehindPorts,
  noDeadFiles,
  noRegistryHosts,
  noTestsLeftOut,
  type Rule,
  shortFiles,
  testTitlesAreSentences,
} from "./rules.ts";
import { importsOf, readSources, type Sources } from "./sources.ts";

const project = readSources();

const expectNoObjection = (rule: Rule) => {
  const objections = rule(project);
  expect(objections.length, `\n${objections.join("\n")}\n`).toBe(0);
};

/** A small project that no rule objects to, with the given files put in. */
const planted = (files: Readonly<Record<string, string>>): Sources =>
  new Map(
    Object.entries({
      "packages/core/package.json": `{"exports":{"./*":"./src/*.ts"}}`,
      "packages/core/src/Money.ts": `export const money = 1;\n`,
      "packages/runtime/package.json": `{"exports":{"./client":"./src/Client.ts","./*":"./src/*.ts"}}`,
      "packages/runtime/src/cli/main.ts": `import { money } from "@aegispay/core/Money";\n`,
      "packages/runtime/src/Client.ts": `export const client = 1;\n`,
      ...files,
    }),
  );

const main = "packages/runtime/src/cli/main.ts";
const test = "packages/tests/a.test.ts";
/** In pieces, or the rules would find these examples in this very file. */
const leftOut = ["it", "skip"].join(".");
const host = ["deb", "debian", "org"].join(".");

describe("the project is tidy", () => {
  it("imports from core to gateways to runtime to tests and never back", () => expectNoObjection(importDirection));
  it("imports NATS only in layers named after it", () => expectNoObjection(natsStaysBehindPorts));
  it("has no file longer than one idea needs", () => expectNoObjection(shortFiles));
  it("has no source file that nothing reaches", () => expectNoObjection(noDeadFiles));
  it("names no package registry's host", () => expectNoObjection(noRegistryHosts));
  it("leaves no test out and favours none", () => expectNoObjection(noTestsLeftOut));
  it("titles every test with a sentence", () => expectNoObjection(testTitlesAreSentences));
  it("names folders after what they hold", () => expectNoObjection(foldersAreNouns));
});

describe("the rules of tidiness", () => {
  const cases: ReadonlyArray<readonly [name: string, rule: Rule, files: Record<string, string>, objections: number]> = [
    ["a project in order", importDirection, {}, 0],
    ["a project without dead files", noDeadFiles, {}, 0],
    [
      "core that imports runtime",
      importDirection,
      { "packages/core/src/Money.ts": `import "@aegispay/runtime/client";` },
      1,
    ],
    ["a path into another package", importDirection, { [main]: `export * from "../../../core/src/Money.ts";` }, 1],
    ["a dynamic import of a later package", importDirection, { [main]: `await import("@aegispay/tests/x");` }, 1],
    ["NATS behind a plain name", natsStaysBehindPorts, { [main]: `import type {\n  A,\n} from "@nats-io/kv";` }, 1],
    [
      "NATS in a layer of that name",
      natsStaysBehindPorts,
      { "packages/runtime/src/NatsA.ts": `import "@nats-io/kv";` },
      0,
    ],
    ["a file that is too long", shortFiles, { "tools/a.mjs": "\n".repeat(351) }, 1],
    ["a file that nothing reaches", noDeadFiles, { "packages/core/src/Old.ts": "" }, 1],
    [
      "a file that is forked",
      noDeadFiles,
      {
        [main]: `import "@aegispay/core/Money";\nnew URL("./worker.ts", import.meta.url);`,
        "packages/runtime/src/cli/worker.ts": "",
      },
      0,
    ],
    [
      "a file that only tests use",
      noDeadFiles,
      { "packages/core/src/Old.ts": "", [test]: `import "@aegispay/core/Old";` },
      1,
    ],
    [
      "a memory layer for tests",
      noDeadFiles,
      { "packages/core/src/MemoryLog.ts": "", [test]: `import "@aegispay/core/MemoryLog";` },
      0,
    ],
    ["a registry's address", noRegistryHosts, { "README.md": `see ${host}` }, 1],
    ["a test left out", noTestsLeftOut, { [test]: `${leftOut}("does this and that", () => {});` }, 1],
    ["a title of two words", testTitlesAreSentences, { [test]: ["it", `effect("adds numbers", f);`].join(".") }, 1],
    [
      "a table's title of two words",
      testTitlesAreSentences,
      { [test]: ["it", `each(rows)("adds %d", f);`].join(".") },
      1,
    ],
    ["a folder for everything", foldersAreNouns, { "packages/core/src/utils/a.ts": "" }, 1],
  ];

  it.each(cases)("find exactly what is wrong with %s", (_name, rule, files, objections) => {
    expect(rule(planted(files))).toHaveLength(objections);
  });

  it("see imports of every form and no others", () => {
    const text = [
      `import a from "a";`,
      `import { b,\n  type c } from 'b';`,
      `import * as d from "d";`,
      `import "e";`,
      `export { f } from "f";`,
      `const g = import("g");`,
      `const from = "h";`,
      `// told apart from "i"`,
    ].join("\n");
    expect([...importsOf(text)].toSorted()).toEqual(["a", "b", "d", "e", "f", "g"]);
  });
});
