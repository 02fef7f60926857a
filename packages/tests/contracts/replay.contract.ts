/**
 * From a log to a state, over every event log: what is whole is replayed, what is broken halts its payment and no other.
 * The broken logs are written as a foreign program or a damaged disk would leave them.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { chainHash } from "@aegispay/core/payment/Commit";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { EventLog } from "@aegispay/runtime/log/EventLog";
import { emptyPosition, replay } from "@aegispay/runtime/log/replay";
import { expect, layer } from "@effect/vitest";
import { Effect, type Layer } from "effect";
import { lookingUp, started, succeeded, verified, approved } from "../core/paymentExamples.ts";
import { EventLogHarness, newPayment } from "./eventLogHarness.ts";

interface Link {
  readonly state: string;
  readonly events: ReadonlyArray<NewEvent>;
  /** Version before its first event, where it is not the right one. */
  readonly after?: number;
  readonly prev?: string;
  readonly of?: PaymentRef;
}

const whole: ReadonlyArray<Link> = [
  { state: "PROCESSING", events: started },
  { state: "OUTCOME_UNKNOWN", events: lookingUp.slice(started.length) },
  { state: "SUCCESS", events: [verified(approved())] },
];

/** The bodies of a chain of commits. */
const chain = (links: ReadonlyArray<Link>, payment: PaymentRef, eventSubject: string): ReadonlyArray<string> => {
  let version = 0;
  let prev = chainHash(eventSubject);
  return links.map((link) => {
    const events = placeEvents(link.events, link.after ?? version, "2026-01-02T03:04:05.000Z");
    const body = JSON.stringify({ ...(link.of ?? payment), state: link.state, events, prev: link.prev ?? prev });
    version = events.at(-1)?.version ?? version;
    prev = chainHash(body);
    return body;
  });
};

const [created, lookedUp, ended] = whole as readonly [Link, Link, Link];

/** Each is a chain as above, changed in one way: by its links, or by its bodies. */
const broken: ReadonlyArray<
  readonly [string, ReadonlyArray<Link>, (bodies: ReadonlyArray<string>) => ReadonlyArray<string>]
> = [
  [
    "whose first commit does not begin from the subject",
    [{ ...created, prev: chainHash("elsewhere") }],
    (bodies) => bodies,
  ],
  ["whose chain is broken", [created, { ...lookedUp, prev: "0".repeat(64) }, ended], (bodies) => bodies],
  ["one of whose commits was changed", whole, ([one, ...rest]) => [one!.replace("tok_visa", "tok_gold"), ...rest]],
  ["one of whose commits is missing", whole, ([one, , three]) => [one!, three!]],
  ["whose first commit is missing", whole, (bodies) => bodies.slice(1)],
  ["one of whose commits is there twice", whole, ([one, two, three]) => [one!, two!, two!, three!]],
  ["two of whose commits changed places", whole, ([one, two, three]) => [one!, three!, two!]],
  ["with a gap in its versions", [created, { ...lookedUp, after: 4 }], (bodies) => bodies],
  ["with a version that is there twice", [created, { ...lookedUp, after: 2 }], (bodies) => bodies],
  ["that begins at version 2", [{ ...created, after: 1 }], (bodies) => bodies],
  ["with an illegal step", [created, { state: "PROCESSING", events: started }], (bodies) => bodies],
  ["that ends and goes on", [created, { state: "SUCCESS", events: [succeeded(), succeeded()] }], (bodies) => bodies],
  ["whose commit names a state its events do not lead to", [{ ...created, state: "SUCCESS" }], (bodies) => bodies],
  ["with a commit of no events", [created, { state: "PROCESSING", events: [] }], (bodies) => bodies],
  [
    "with another payment's commit",
    [{ ...created, of: { merchant: "shop", paymentId: "another" } }],
    (bodies) => bodies,
  ],
  ["with what is no JSON", whole, ([one]) => [one!, "payment"]],
  ["with an empty commit", whole, ([one]) => [one!, ""]],
  [
    "with an event of a kind nobody knows",
    whole,
    ([one, two]) => [one!, two!.replace("RoundStarted", "RoundInvented")],
  ],
  ["that was cut off", whole, ([one, two]) => [one!, two!.slice(0, -20)]],
];

export const replayContract = <E>(name: string, harness: Layer.Layer<EventLogHarness, E>) => {
  const inject = Effect.fnUntraced(function* (payment: PaymentRef, bodies: ReadonlyArray<string>) {
    const store = (yield* EventLogHarness).inject;
    const sequences: Array<number> = [];
    for (const body of bodies) sequences.push(yield* store(payment, body));
    return sequences;
  });

  const replayed = Effect.fnUntraced(function* (payment: PaymentRef, seeAtLeast?: number) {
    const { log, addresses } = yield* EventLogHarness;
    return yield* Effect.provideService(replay(addresses, payment, seeAtLeast), EventLog, log);
  });

  const chainOf = Effect.fnUntraced(function* (payment: PaymentRef, links: ReadonlyArray<Link>) {
    const { addresses } = yield* EventLogHarness;
    return chain(links, payment, addresses.event(payment));
  });

  layer(harness, { excludeTestServices: true, timeout: "30 seconds" })(`a replay from ${name}`, (it) => {
    it.effect("begins from nothing where there is no log", () =>
      Effect.gen(function* () {
        const { addresses } = yield* EventLogHarness;
        const payment = newPayment();
        expect(yield* replayed(payment)).toEqual({ ...emptyPosition(addresses, payment), events: [] });
      }),
    );

    it.effect("gives the state, and where the next commit goes", () =>
      Effect.gen(function* () {
        const payment = newPayment();
        const bodies = yield* chainOf(payment, whole);
        const sequences = yield* inject(payment, bodies);
        const found = yield* replayed(payment);
        expect(found).toMatchObject({
          state: { name: "SUCCESS", version: 6 },
          sequence: sequences.at(-1),
          prev: chainHash(bodies.at(-1)!),
        });
        expect(found.events.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
      }),
    );

    for (const [what, links, change] of broken) {
      it.effect(`halts a log ${what}, and no other`, () =>
        Effect.gen(function* () {
          const [before, payment, after] = [newPayment(), newPayment(), newPayment()];
          yield* inject(before, yield* chainOf(before, whole));
          yield* inject(payment, change(yield* chainOf(payment, links)));
          yield* inject(after, yield* chainOf(after, whole));
          const error = yield* Effect.flip(replayed(payment));
          expect(error).toMatchObject({ _tag: "EventContinuityError", payment });
          for (const other of [before, after]) expect((yield* replayed(other)).state.name).toBe("SUCCESS");
        }),
      );
    }

    it.effect("says that it is not yet there when it does not reach what is known to be stored", () =>
      Effect.gen(function* () {
        const payment = newPayment();
        const [sequence] = yield* inject(payment, yield* chainOf(payment, [created]));
        expect((yield* replayed(payment, sequence)).sequence).toBe(sequence);
        const error = yield* Effect.flip(replayed(payment, sequence! + 1));
        expect(error._tag).toBe("LogUnavailable");
      }),
    );
  });
};
