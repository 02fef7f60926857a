import { chainHash, decodeCommit } from "@aegispay/core/payment/Commit";
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { intents } from "@aegispay/core/payment/intents";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { upcast } from "@aegispay/core/payment/upcast";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Option, Result } from "effect";
import { describe, expect, it } from "vitest";
import { approved, mismatch, request, resume, reviewRequested, roundStarted, started } from "./paymentExamples.ts";
import { storedLifecycles } from "./storedLifecycles.ts";
import { storedLogs } from "./storedLogs.ts";
import { storedVerdicts } from "./storedVerdicts.ts";

describe("a log that an earlier version stored", () => {
  it.each([...storedLogs, ...storedLifecycles, ...storedVerdicts])(
    "is read for ever: $story",
    ({ commits, state, head }) => {
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
    },
  );

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
    const types = [...storedLogs, ...storedLifecycles, ...storedVerdicts].flatMap(({ commits }) =>
      commits.flatMap((body) => [...body.matchAll(/"type":"([A-Z][\w.]+)"/g)]),
    );
    // 43 that are written today, and two in an earlier shape.
    expect(new Set(types.map(([, type]) => type)).size).toBe(45);
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

describe("an event in an earlier shape", () => {
  const placed = { version: 4, at: "2026-01-02T03:04:05.000Z" };

  it("says today what it said when it was stored: a review of an attempt", () => {
    const stored = { ...placed, type: "ReviewRequested", data: { attempt: 1, reason: "why" } } as const;
    expect(upcast(stored)).toEqual({ ...placed, ...reviewRequested("why") });
  });

  it("says today what it said when it was stored: a mismatch of a charge", () => {
    const reported = approved({ amount: { value: 1, currency: "USD" } });
    const data = { attempt: 1, expected: request, reported };
    const stored = { ...placed, type: "IntegrityMismatchDetected", data } as const;
    expect(upcast(stored)).toEqual({ ...placed, ...mismatch(reported) });
  });

  it("gets the step of its round that the number of rounds before it told", () => {
    const round = (number: number, step?: number) => {
      const { data, type } = roundStarted(number, "lookUp") as Extract<NewEvent, { readonly type: "RoundStarted" }>;
      const { step: _step, ...rest } = data;
      return { ...placed, type, data: step === undefined ? rest : { ...rest, step } };
    };
    for (const [number, step] of [
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 2],
    ] as const) {
      expect(upcast(round(number))).toEqual(round(number, step));
      expect(upcast(round(number, 7))).toEqual(round(number, 7));
    }
  });

  it("leads where the same event in today's shape leads", () => {
    const events = placeEvents([...started, reviewRequested("why")], 0, placed.at);
    const stored = events.map((event) =>
      event.type === "ReviewRequested.v2"
        ? { ...event, type: "ReviewRequested" as const, data: { attempt: 1, reason: "why" } }
        : event,
    );
    expect(evolveAll(absent, stored)).toEqual(evolveAll(absent, events));
    expect(evolveAll(absent, stored)?.name).toBe("NEEDS_REVIEW");
  });

  it("of today is left as it is", () => {
    for (const event of placeEvents([...started, reviewRequested("why")], 0, placed.at))
      expect(upcast(event)).toBe(event);
  });
});
