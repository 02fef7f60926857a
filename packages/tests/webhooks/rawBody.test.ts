/** What reading a body may cost: whatever it is cut into, its bytes and no more. */
import { makeBodyReader } from "@aegispay/runtime/webhooks/rawBody";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";

const limits = { maxBytes: 1_000_000, withinMillis: 10_000, allBytes: 2_000_000 };

const incomingOf = (headers = {}) => Object.assign(new EventEmitter(), { headers });

const reading = (read: ReturnType<typeof makeBodyReader>, incoming: ReturnType<typeof incomingOf>) =>
  Effect.runPromise(read(incoming as unknown as IncomingMessage, Effect.succeed));

const heldBytes = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

describe("a body", () => {
  it("is read byte for byte, however it is cut", async () => {
    const whole = Buffer.from(Array.from({ length: 5_000 }, (_, index) => index % 256));
    for (const pieceBytes of [[1], [7], [511, 512], [1, 600], [600, 1, 2], [5_000]]) {
      const incoming = incomingOf();
      const read = reading(makeBodyReader(limits), incoming);
      for (let at = 0, piece = 0; at < whole.length; piece++) {
        const bytes = pieceBytes[piece % pieceBytes.length]!;
        incoming.emit("data", whole.subarray(at, at + bytes));
        at += bytes;
      }
      incoming.emit("end");
      const body = await read;
      expect(body._tag === "Read" && whole.equals(body.bytes)).toBe(true);
    }
  });

  it("of which each byte comes by itself takes no more memory than another", async () => {
    const incoming = incomingOf();
    const read = reading(makeBodyReader(limits), incoming);
    const before = heldBytes();
    for (let byte = 0; byte < limits.maxBytes; byte++) incoming.emit("data", Buffer.alloc(1, byte));
    // Kept as they come they are 200 MB.
    expect(heldBytes() - before).toBeLessThan(80_000_000);
    incoming.emit("end");
    expect(await read).toMatchObject({ _tag: "Read" });
  });

  it("of a byte too many is too large, and what all may take together is given back", async () => {
    const reader = makeBodyReader(limits);
    for (let round = 0; round < 5; round++) {
      const incoming = incomingOf();
      const read = reading(reader, incoming);
      incoming.emit("data", Buffer.alloc(limits.maxBytes));
      incoming.emit("data", Buffer.alloc(1));
      expect(await read).toEqual({ _tag: "TooLarge" });
    }
    const open = [incomingOf(), incomingOf(), incomingOf()];
    const all = Promise.all(open.map((incoming) => reading(reader, incoming)));
    for (const incoming of open) incoming.emit("data", Buffer.alloc(limits.maxBytes));
    for (const incoming of open) incoming.emit("end");
    expect((await all).map(({ _tag }) => _tag)).toEqual(["Read", "Read", "Busy"]);
  });
});
