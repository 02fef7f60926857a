/**
 * What the simulator does with a request that has reached it. Owns the keys in flight; the ledger is its memory.
 *
 * 1. One key, one result: it is decided and recorded in one synchronous step, so that no two requests interleave in it.
 * 2. What has begun is finished even if the client goes away meanwhile: a gateway does not stop for a lost connection.
 * 3. No answer leaves before everything it could have seen is written (Journal, 1).
 * 4. Refusals (400, 404, 409, 422) are not remembered under the key; results are, declines included.
 */
import { createHash } from "node:crypto";
import { Effect, Fiber, type Scope } from "effect";
import type { PlatformError } from "effect/PlatformError";
import {
  afterOperation,
  type Charge,
  chargeDocument,
  type ChargeRequest,
  decideOperation,
  isSameRequest,
  newCharge,
  type OperationRequest,
} from "./Charge.ts";
import type { DurableLedger } from "./DurableLedger.ts";
import type { Fate } from "./Faults.ts";
import { behaviourOf, declinedByIssuer } from "./Tokens.ts";

export type Reply =
  | { readonly dropped: true }
  | { readonly status: number; readonly document: unknown; readonly replayed?: boolean };

export const refusal = (status: number, code: string, message: string): Reply => ({
  status,
  document: { error: { code, message } },
});

const dropped: Reply = { dropped: true };

const chargeReply = (charge: Charge, replayed: boolean): Reply =>
  charge.decline === undefined
    ? { status: 200, document: chargeDocument(charge), replayed }
    : { status: 402, document: { error: { ...charge.decline, charge: charge.id } }, replayed };

const keyReused = refusal(422, "idempotency_key_reused", "this Idempotency-Key came first with other parameters");
const keyInFlight = refusal(
  409,
  "idempotency_key_in_flight",
  "the first request with this Idempotency-Key is in flight",
);

const internalError = refusal(500, "internal_error", "ordered by http500Rate");

export interface Acquirer {
  readonly charge: (key: string, request: ChargeRequest, fate: Fate) => Effect.Effect<Reply, PlatformError>;
  readonly operate: (chargeId: string, request: OperationRequest, fate: Fate) => Effect.Effect<Reply, PlatformError>;
  /** Answers from the ledger; `find` runs after the latency. */
  readonly lookUp: (
    find: (ledger: DurableLedger["ledger"]) => Reply,
    fate: Fate,
  ) => Effect.Effect<Reply, PlatformError>;
}

/** `scope` is the simulator's: what is being processed ends with it, not with the connection it came from. */
export const makeAcquirer = (books: DurableLedger, slowAnswerMillis: number, scope: Scope.Scope): Acquirer => {
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

  /** Decides on a key's request: answers at once what is known, else does it after `millis` with the key in flight. */
  const once = (options: {
    readonly key: string;
    readonly parameters: string;
    readonly known: Reply | undefined;
    readonly fate: Fate;
    readonly millis: number;
    readonly perform: () => Reply;
  }): Effect.Effect<Reply> => {
    const { key, known, fate } = options;
    const other = inFlight.get(key);
    if (known !== undefined) return after(fate.latencyMillis, () => known);
    if (other !== undefined) {
      return after(fate.latencyMillis, () => (other === options.parameters ? keyInFlight : keyReused));
    }
    inFlight.set(key, options.parameters);
    return after(options.millis, () => {
      inFlight.delete(key);
      return fate.internalError === "not-done" ? dropped : options.perform();
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
      if (isFirst && behaviour.firstRequest === "reset") return Effect.as(written, dropped);
      const owner = ledger.ownerOf(key);
      const isRepeat = owner?.kind === "charge" && isSameRequest(owner.entry.first, request);
      const perform = () => {
        const id = `ch_${createHash("sha256").update(key).digest("hex").slice(0, 24)}`;
        const made = newCharge(id, key, request, fate.declined ? declinedByIssuer : behaviour.result);
        record({ type: "charge", charge: made });
        return isFirst && behaviour.firstRequest === "lose-answer" ? dropped : chargeReply(made, false);
      };
      const { reference, amount, currency, token, capture = "automatic" } = request;
      return once({
        key,
        parameters: JSON.stringify([reference, amount, currency, token, capture]),
        known: owner === undefined ? undefined : isRepeat ? chargeReply(owner.entry.first, true) : keyReused,
        fate,
        millis: fate.latencyMillis + (behaviour.slow === true ? slowAnswerMillis : 0),
        perform,
      }).pipe(Effect.flatMap((reply) => deliver(reply, fate)));
    });

  const replayOperation = (chargeId: string, request: OperationRequest): Reply | undefined => {
    const owner = ledger.ownerOf(request.key);
    if (owner === undefined) return undefined;
    if (owner.kind === "charge" || owner.entry.first.id !== chargeId) return keyReused;
    const { first, now } = owner.entry;
    if (owner.operation.kind !== request.kind || owner.operation.requested !== request.amount) return keyReused;
    const upToIt = now.operations.slice(0, now.operations.indexOf(owner.operation) + 1);
    return chargeReply(upToIt.reduce(afterOperation, first), true);
  };

  const operate: Acquirer["operate"] = (chargeId, request, fate) =>
    Effect.suspend(() => {
      record({ type: "request", key: request.key });
      const perform = () => {
        const entry = ledger.byId(chargeId);
        if (entry === undefined) return refusal(404, "charge_not_found", "no such charge");
        const decided = decideOperation(entry.now, request);
        if ("refused" in decided) return refusal(400, decided.refused, decided.message);
        record({ type: "operation", chargeId, operation: decided });
        return { status: 200, document: chargeDocument(afterOperation(entry.now, decided)) };
      };
      return once({
        key: request.key,
        parameters: JSON.stringify([chargeId, request.kind, request.amount]),
        known: replayOperation(chargeId, request),
        fate,
        millis: fate.latencyMillis,
        perform,
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
