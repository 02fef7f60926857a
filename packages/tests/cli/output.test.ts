/** What the command line shows of what strangers have sent. */
import { visible } from "@aegispay/runtime/cli/output";
import { describe, expect, it } from "vitest";

describe("what is printed", () => {
  it("gives a terminal no orders", () => {
    const hostile = "a\u001b]0;title\u0007\u001b[2J\r\u009b31m\u007f";
    expect(visible(hostile)).toBe(String.raw`a\u001b]0;title\u0007\u001b[2J\u000d\u009b31m\u007f`);
  });

  it("keeps its lines, its columns, its colours and every other character", () => {
    const text = "\u001b[1mmerchant\u001b[0m\tid\n\u00fc\u2713 \ud83d\ude00";
    expect(visible(text)).toBe(text);
  });

  it("is JSON all the same where it was", () => {
    const document = { body: "\u0000\u001b\u007f\u009b" };
    expect(JSON.parse(visible(JSON.stringify(document)))).toEqual(document);
  });
});
