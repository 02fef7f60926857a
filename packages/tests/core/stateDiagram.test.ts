import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { diagramPath, drawPage } from "./stateDiagram.ts";

it("the state diagram in the docs is the one that the code draws", () => {
  expect(readFileSync(diagramPath, "utf8")).toBe(drawPage());
});
