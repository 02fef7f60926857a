import { chainHash, decodeCommit } from "@aegispay/core/payment/Commit";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Option } from "effect";
import { describe, expect, it } from "vitest";
import { storedLogs } from "./storedLogs.ts";

describe("a log that an earlier version stored", () => {
  it.each(storedLogs)("is read for ever: $story", ({ commits, state, head }) => {
    let reached: PaymentState | undefined = absent;
    let prev = chainHash("payments.event.shop.order-1");
    for (const body of commits) {
      const commit = Option.getOrThrow(decodeCommit(body));
      expect(commit.prev).toBe(prev);
      expect(commit).toEqual(JSON.parse(body));
      reached = evolveAll(reached!, commit.events);
      expect(reached?.name).toBe(commit.state);
      prev = chainHash(body);
    }
    expect(reached?.name).toBe(state);
    expect(prev).toBe(head);
  });

  it("together hold every kind of event there was", () => {
    const types = storedLogs.flatMap(({ commits }) =>
      commits.flatMap((body) => [...body.matchAll(/"type":"([A-Z]\w+)"/g)]),
    );
    expect(new Set(types.map(([, type]) => type)).size).toBe(13);
  });

  it("is not read when it is no commit", () => {
    const [body] = storedLogs[0]!.commits;
    const broken = [
      "",
      "{}",
      "null",
      body!.slice(0, -1),
      body!.replace(/"version":1,/, ""),
      body!.replace("[{", "[] , [{"),
    ];
    for (const text of [
      ...broken,
      body!.replace("PaymentInitiated", "PaymentInvented"),
      body!.replace(":1999", ":19.99"),
    ]) {
      expect(Option.isNone(decodeCommit(text))).toBe(true);
    }
  });

  it("is read although a later version added fields to it", () => {
    const [body] = storedLogs[0]!.commits;
    const later = body!
      .replace('{"merchant"', '{"cell":"eu","merchant"')
      .replace('"commandId"', '"channel":"web","commandId"');
    expect(Option.getOrThrow(decodeCommit(later))).toEqual(JSON.parse(body!));
  });
});
