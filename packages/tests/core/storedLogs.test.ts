import { chainHash, decodeCommit } from "@aegispay/core/payment/Commit";
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { intents } from "@aegispay/core/payment/intents";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Option, Result } from "effect";
import { describe, expect, it } from "vitest";
import { resume } from "./paymentExamples.ts";
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

  it("goes on at the step of the schedule that it names, or that the number of its rounds tells where it names none", () => {
    const stepsOf = (story: string): ReadonlyArray<number> => {
      const { commits } = storedLogs.find((log) => log.story.startsWith(story))!;
      const events = commits.flatMap((body) => Option.getOrThrow(decodeCommit(body)).events);
      return events.flatMap((event, index) => {
        const [intent] = event.type === "RoundStarted" ? intents(evolveAll(absent, events.slice(0, index + 1))!) : [];
        return intent?.kind === "charge" ? [intent.round.step] : [];
      });
    };
    expect(stepsOf("a success after a lost answer")).toEqual([0, 1]);
    expect(stepsOf("a review after a take-over")).toEqual([0]);
    expect(stepsOf("a success that the second daily look-up")).toEqual([0, 1, 1, 8, 8, 8]);
  });

  it("that ended in a review without a round stays there, and owes nothing", () => {
    const ended = storedLogs.filter(({ state }) => state === "NEEDS_REVIEW");
    for (const { commits } of ended) {
      const events = commits.flatMap((body) => Option.getOrThrow(decodeCommit(body)).events);
      const state = evolveAll(absent, events)!;
      expect(intents(state)).toEqual([]);
      expect(decide(state, resume())).toEqual(Result.succeed([]));
    }
    expect(ended.length).toBe(2);
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
