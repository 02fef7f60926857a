/**
 * What the simulator does with a request that has reached it. Owns the keys in flight; the ledger is its memory.
 *
 * 1. One key, one result: it is decided and recorded in one synchronous step, so that no two requests interleave in it.
 * 2. What has begun is finished even if the client goes away meanwhile: a gateway does not stop for a lost connection.
 * 3. No answer leaves before everything it could have seen is written (Journal, 1).
 * 4. Refusals (400, 404, 409, 422) are not remembered under the key; results are, declines and failures included.
 */
import { Effect, Fiber, type Scope } from "effect";
import type { PlatformError } from "effect/PlatformError";
import { bookCharge, bookOperation } from "./booking.ts";
import { type ChargeRequest, isSameRequest } from "./Charge.ts";
import { afterOperation, type OperationRequest } from "./ChargeOperation.ts";
import type { DurableLedger } from "./DurableLedger.ts";
import type { Fate, FirstRequest } from "./Faults.ts";
import type { Delayed } from "./Ledger.ts";
import { dropped, noSuchCharge, refusal, type Replies, type Reply } from "./Reply.ts";
import { behaviourOf } from "./Tokens.ts";

const keyReused = refusal(422, "idempotency_key_reused", "this Idempotency-Key came first with other parameters");
const keyInFlight = refusal(
  409,
  "idempotency_key_in_flight",
  "the first request with this Idempotency-Key is in flight",
);

const internalError = refusal(500, "internal_error", "ordered by http500Rate");

/** What a repeat of a key must agree in. */
const parametersOf = (asked: Delayed): string => {
  if (asked.kind === "operation") return JSON.stringify([asked.chargeId, asked.request.kind, asked.request.amount]);
  const { reference, amount, currency, token, capture = "automatic" } = asked.request;
  return JSON.stringify([reference, amount, currency, token, capture]);
};

export interface Acquirer {
  readonly charge: (key: string, request: ChargeRequest, fate: Fate) => Effect.Effect<Reply, PlatformError>;
  readonly operate: (chargeId: string, request: OperationRequest, fate: Fate) => Effect.Effect<Reply, PlatformError>;
  /** Answers from the ledger; `find` runs after the latency. */
  readonly lookUp: (
    find: (ledger: DurableLedger["ledger"]) => Reply,
    fate: Fate,
  ) => Effect.Effect<Reply, PlatformError>;
}

export interface AcquirerOptions {
  readonly books: Pick<DurableLedger, "ledger" | "record" | "written">;
  readonly slowAnswerMillis: number;
  /** The simulator's: what is being processed ends with it, not with the connection it came from. */
  readonly scope: Scope.Scope;
  readonly replies: Replies;
}

export const makeAcquirer = ({ books, slowAnswerMillis, scope, replies }: AcquirerOptions): Acquirer => {
  const { ledger, record, written } = books;
  /** The parameters of the requests being processed, by key. */
  const inFlight = new Map<string, string>();

  const after = (millis: number, finish: () => Reply): Effect.Effect<Reply> =>
    millis === 0
      ? Effect.sync(finish)
      : Effect.sleep(millis).pipe(
          Effect.map(finish),
          Effect.forkIn(scope, { startImmediately: true }),
          Effect.flatMap(Fiber.join),
        );

  const parametersInFlight = (key: string): string | undefined => {
    const delayed = ledger.delayedOf(key);
    return delayed === undefined ? inFlight.get(key) : parametersOf(delayed);
  };

  /** Decides on a key's request: answers at once what is known, else does it after `millis` with the key in flight. */
  const once = (options: {
    readonly key: string;
    readonly asked: Delayed;
    readonly known: Reply | undefined;
    readonly first: FirstRequest | undefined;
    readonly fate: Fate;
    readonly millis: number;
    readonly perform: () => Reply;
  }): Effect.Effect<Reply> => {
    const { key, known, fate, first } = options;
    const parameters = parametersOf(options.asked);
    const other = parametersInFlight(key);
    if (known !== undefined) return after(fate.latencyMillis, () => known);
    if (other !== undefined) {
      return after(fate.latencyMillis, () => (other === parameters ? keyInFlight : keyReused));
    }
    if (first === "reset") return Effect.succeed(dropped);
    if (first === "delay") {
      record({ type: "delayed", delayed: options.asked });
      return Effect.succeed(dropped);
    }
    inFlight.set(key, parameters);
    return after(options.millis, () => {
      inFlight.delete(key);
      if (fate.internalError === "not-done") return dropped;
      const reply = options.perform();
      return first === "lose-answer" ? dropped : reply;
    });
  };

  /** How the result gets back to the client, or does not. */
  const deliver = (reply: Reply, fate: Fate): Effect.Effect<Reply, PlatformError> =>
    Effect.flatMap(written, () => {
      if (fate.internalError !== "none") return Effect.succeed(internalError);
      if (fate.answerLost) return Effect.succeed(dropped);
      return fate.holdMillis === 0 ? Effect.succeed(reply) : Effect.as(Effect.sleep(fate.holdMillis), reply);
    });

  const charge: Acquirer["charge"] = (key, request, fate) =>
    Effect.suspend(() => {
      const isFirst = ledger.requestsOf(key) === 0;
      record({ type: "request", key });
      const behaviour = behaviourOf(request.token);
      const owner = ledger.ownerOf(key);
      const isRepeat = owner?.kind === "charge" && isSameRequest(owner.entry.first, request);
      return once({
        key,
        asked: { kind: "charge", key, request },
        known: owner === undefined ? undefined : isRepeat ? replies.charge(owner.entry.first, true) : keyReused,
        first: isFirst ? (behaviour.firstRequest ?? fate.firstRequests.charge) : undefined,
        fate,
        millis: fate.latencyMillis + (behaviour.slow === true ? slowAnswerMillis : 0),
        perform: () => {
          const made = bookCharge(key, request, fate);
          record({ type: "charge", charge: made });
          return replies.charge(made, false);
        },
      }).pipe(Effect.flatMap((reply) => deliver(reply, fate)));
    });

  const replayOperation = (chargeId: string, request: OperationRequest): Reply | undefined => {
    const owner = ledger.ownerOf(request.key);
    if (owner === undefined) return undefined;
    if (owner.kind === "charge" || owner.entry.first.id !== chargeId) return keyReused;
    const { operation } = owner;
    const isRepeat = operation.kind === request.kind && operation.requested === request.amount;
    return isRepeat ? replies.operation(owner.after, operation, true) : keyReused;
  };

  /** What the first request of an operation's key meets; nothing special where there is no such charge. */
  const firstOf = (chargeId: string, { kind }: OperationRequest, fate: Fate): FirstRequest | undefined => {
    const entry = ledger.byId(chargeId);
    if (entry === undefined) return undefined;
    const { operations } = behaviourOf(entry.first.token);
    return operations === undefined || operations === "refuse" ? fate.firstRequests[kind] : operations;
  };

  const operate: Acquirer["operate"] = (chargeId, request, fate) =>
    Effect.suspend(() => {
      const isFirst = ledger.requestsOf(request.key) === 0;
      record({ type: "request", key: request.key });
      return once({
        key: request.key,
        asked: { kind: "operation", chargeId, request },
        known: replayOperation(chargeId, request),
        first: isFirst ? firstOf(chargeId, request, fate) : undefined,
        fate,
        millis: fate.latencyMillis,
        perform: () => {
          const entry = ledger.byId(chargeId);
          if (entry === undefined) return noSuchCharge;
          const booked = bookOperation(entry.now, request, fate);
          if ("refused" in booked) return refusal(400, booked.refused, booked.message);
          record({ type: "operation", chargeId, operation: booked });
          return replies.operation(afterOperation(entry.now, booked), booked, false);
        },
      }).pipe(Effect.flatMap((reply) => deliver(reply, fate)));
    });

  const lookUp: Acquirer["lookUp"] = (find, fate) =>
    Effect.suspend(() => {
      record({ type: "request" });
      return Effect.flatMap(
        after(fate.latencyMillis, () => find(ledger)),
        (reply) => deliver(reply, fate),
      );
    });

  return { charge, operate, lookUp };
};
