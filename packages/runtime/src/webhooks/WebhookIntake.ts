/**
 * What becomes of a webhook, between its raw body and the answer to the gateway.
 *
 * 1. Nothing is believed before its signature is; a refused one costs the deployment a small, bounded note at most.
 * 2. A genuine one is durable, byte for byte, before anything follows from it, and answered well only when all that follows is
 *    durable too: whatever ends this process before, the gateway sends again.
 * 3. What it says as evidence is durable before anybody is told to look, or they would look in vain.
 * 4. It is marked as known only after its notification is published: a crash in between repeats, and never loses. Repeats are
 *    harmless, since a notification only makes a payment look its own errands up.
 * 5. It moves no state (core/payment/notification).
 */
import { hideCardNumbers } from "@aegispay/core/identity/CardNumber";
import { isGatewayKey, parsePaymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { Gateways } from "@aegispay/gateways/Gateway";
import type { Notification, ReadWebhook } from "@aegispay/gateways/webhooks/Webhook";
import { type Cause, Context, Deferred, Effect, Layer } from "effect";
import { count, metric } from "../metrics/Metrics.ts";
import { isNotifiedAbout, itemsMax, type NotifyBody } from "./NotifyBody.ts";
import { unaddressed } from "./waitingNotifications.ts";
import { WebhookStore, type RawWebhook } from "./WebhookStore.ts";

/** `ignored`: genuine, and about nothing of ours. `unavailable`: not known to be durable, to be sent again. */
export type Received =
  | "accepted"
  | "duplicate"
  | "ignored"
  | "forged"
  | "unreadable"
  | "unknown_gateway"
  | "unavailable";

/** Within this a gateway is answered, in milliseconds: they call it failed after some seconds, and send again. */
const answerWithinMillis = 800;
/** Items of one webhook that are worked on at the same time. */
const concurrency = 16;
/** Between two refused ones of a gateway that are kept, in milliseconds: a flood of forgeries writes nothing more. */
const refusedEveryMillis = 5_000;
/** The largest refused one that is kept, in bytes: the gateways' own are a few kilobytes. */
const refusedMaxBytes = 64 * 1024;

/** Between two words about webhooks that could not be taken, in milliseconds. */
const warnEveryMillis = 10_000;

/** Makes what may be cut off of what is in the middle of something that may not. */
type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>;

interface Receiver {
  readonly name: string;
  readonly account: string;
  readonly read: ReadWebhook;
  /** Whether a key says more than what stands beside it. */
  readonly namesKeys: boolean;
}

/** What a notification is about; only what the actor compares. */
const aboutOf = ({ name, account }: Receiver, notification: Notification): NotifyBody["about"] => {
  const { idempotencyKey, gatewayTransactionId, amount, says } = notification;
  return {
    gateway: name,
    account,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
    ...(amount === undefined ? {} : { amount }),
    ...(says === undefined ? {} : { says }),
  };
};

/** As it came where it holds none. Bytes stay bytes: every one of them is a character of Latin-1. */
const withoutCardNumbers = (raw: RawWebhook): RawWebhook => {
  const body = Buffer.from(raw.rawBody).toString("latin1");
  const hidden = hideCardNumbers(body);
  const headers = Object.fromEntries(
    Object.entries(raw.headers).map(([name, value]) => [name, hideCardNumbers(value)]),
  );
  return { ...raw, headers, ...(hidden === body ? {} : { rawBody: Buffer.from(hidden, "latin1") }) };
};

export class WebhookIntake extends Context.Service<
  WebhookIntake,
  {
    /** Whether there is a gateway of this name that sends webhooks. */
    readonly knows: (gateway: string) => boolean;
    /** Takes a whole body. Never fails; answers in time, whatever the store does. */
    readonly receive: (raw: RawWebhook) => Effect.Effect<Received>;
    /** One that was refused before it was read: too large, too slow. */
    readonly refused: (gateway: string, result: "too_large" | "too_slow" | "unavailable") => void;
  }
>()("@aegispay/runtime/WebhookIntake") {}

const make = Effect.gen(function* () {
  const gateways = yield* Gateways;
  const store = yield* WebhookStore;
  const scope = yield* Effect.scope;
  const refusedAt = new Map<string, number>();
  /** What is being published, by mark: a repeat that comes meanwhile waits for it. */
  const underWay = new Map<string, Deferred.Deferred<void>>();

  /** One at a time for each mark, so that a webhook which comes twice at once is known the second time. */
  const claim = (marks: ReadonlyArray<string>, restore: Restore): Effect.Effect<Effect.Effect<void>> =>
    Effect.suspend(() => {
      const busy = marks.map((mark) => underWay.get(mark)).find((found) => found !== undefined);
      if (busy !== undefined) return Effect.flatMap(restore(Deferred.await(busy)), () => claim(marks, restore));
      const mine = Deferred.makeUnsafe<void>();
      for (const mark of marks) underWay.set(mark, mine);
      const release = Effect.sync(() => {
        for (const mark of marks) underWay.delete(mark);
        Deferred.doneUnsafe(mine, Effect.void);
      });
      return Effect.succeed(release);
    });

  const receiverOf = (name: string): Receiver | undefined => {
    const candidate = gateways.candidates.find(({ gateway }) => gateway === name);
    const gateway = candidate && gateways.find(candidate.gateway, candidate.account);
    if (gateway?.readWebhook === undefined) return undefined;
    const { account, readWebhook, webhooksNameOnlyKeysOf } = gateway;
    return { name, account, read: readWebhook, namesKeys: webhooksNameOnlyKeysOf !== undefined };
  };

  /** What is signed goes before what is not: a reference may stand beside the signature. */
  const paymentOf = Effect.fnUntraced(function* (receiver: Receiver, { idempotencyKey, reference }: Notification) {
    const named = reference === undefined ? undefined : parsePaymentKey(reference);
    if (named !== undefined && !receiver.namesKeys) return named;
    if (idempotencyKey === undefined || !isGatewayKey(idempotencyKey)) return named;
    return (yield* store.findPayment(idempotencyKey)) ?? named;
  });

  const isOurs = ({ idempotencyKey, reference }: Notification): boolean =>
    (idempotencyKey !== undefined && isGatewayKey(idempotencyKey)) ||
    (reference !== undefined && parsePaymentKey(reference) !== undefined);

  const publish = Effect.fnUntraced(function* (
    receiver: Receiver,
    notification: Notification,
    webhook: NotifyBody["webhook"],
  ) {
    const { idempotencyKey, evidence } = notification;
    const about = aboutOf(receiver, notification);
    if (evidence !== undefined && idempotencyKey !== undefined && isGatewayKey(idempotencyKey)) {
      yield* store.keepEvidence(receiver.name, receiver.account, idempotencyKey, notification);
    }
    const payment: PaymentRef = (yield* paymentOf(receiver, notification)) ?? unaddressed(receiver.name);
    yield* store.publish(payment, { about, ...(webhook === undefined ? {} : { webhook }) });
    yield* store.markKnown(receiver.name, notification.dedupeKey, webhook?.sequence ?? 0);
  });

  const genuine = Effect.fnUntraced(function* (
    receiver: Receiver,
    raw: RawWebhook,
    notifications: ReadonlyArray<Notification>,
  ) {
    // One item that is repeated in a batch is one: whoever has a signed one could fill the disk with batches of it.
    const distinct = [...new Map(notifications.map((one) => [one.dedupeKey, one])).values()];
    const ours = distinct.filter(isOurs);
    if (distinct.length > itemsMax || !ours.every((one) => isNotifiedAbout(aboutOf(receiver, one)))) {
      return yield* unreadable(raw, "it names what no gateway gives such a name");
    }
    const known = yield* Effect.forEach(ours, ({ dedupeKey }) => store.isKnown(raw.gateway, dedupeKey), {
      concurrency,
    });
    const fresh = ours.filter((_, index) => !known[index]);
    if (fresh.length === 0 && ours.length > 0) return "duplicate" as const;
    const sequence = yield* keep(raw, "genuine");
    if (ours.length === 0) return "ignored" as const;
    yield* Effect.forEach(
      fresh,
      (notification, item) => {
        const event = notification.event.slice(0, 200) || "unnamed";
        return publish(receiver, notification, { sequence, item, event, receivedAt: raw.receivedAt });
      },
      { concurrency, discard: true },
    );
    return "accepted" as const;
  });

  const takenOnce = (receiver: Receiver, raw: RawWebhook, notifications: ReadonlyArray<Notification>) => {
    const marks = notifications.map(({ dedupeKey }) => `${raw.gateway}/${dedupeKey}`);
    // One that is cut off between the claim and its work would be busy for ever.
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(claim(marks, restore), (release) =>
        Effect.ensuring(restore(genuine(receiver, raw, notifications)), release),
      ),
    );
  };

  /** What is kept is byte for byte what came, but for card numbers: a gateway has no cause to send one, and we have none to keep it. */
  const keep = (raw: RawWebhook, verdict: "genuine" | "unreadable") => store.keep(withoutCardNumbers(raw), verdict);

  const unreadable = Effect.fnUntraced(function* (raw: RawWebhook, reason: string) {
    const sequence = yield* keep(raw, "unreadable");
    yield* store.parkUnreadable(raw.gateway, sequence, reason);
    return "unreadable" as const;
  });

  /** At most one in a while, small ones only, and nobody waits for it. */
  const noteRefused = (raw: RawWebhook, reason: string): Effect.Effect<void> => {
    const last = refusedAt.get(raw.gateway) ?? Number.NEGATIVE_INFINITY;
    if (raw.rawBody.length > refusedMaxBytes || raw.receivedAt - last < refusedEveryMillis) return Effect.void;
    refusedAt.set(raw.gateway, raw.receivedAt);
    return Effect.asVoid(Effect.forkIn(Effect.ignore(store.keepRefused(withoutCardNumbers(raw), reason)), scope));
  };

  let warnedAt = Number.NEGATIVE_INFINITY;
  const warnOf = (raw: RawWebhook, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
    if (raw.receivedAt - warnedAt < warnEveryMillis) return Effect.void;
    warnedAt = raw.receivedAt;
    return Effect.logWarning(`a webhook of ${raw.gateway} could not be taken, it is to be sent again`, cause);
  };

  const work = Effect.fnUntraced(function* (receiver: Receiver, raw: RawWebhook) {
    const { rawBody, headers } = raw;
    const verdict = receiver.read({ rawBody, headers, nowMillis: raw.receivedAt });
    switch (verdict._tag) {
      case "Forged":
        yield* noteRefused(raw, verdict.reason);
        return "forged" as const;
      case "Unreadable":
        return yield* unreadable(raw, verdict.reason);
      case "Verified":
        return yield* takenOnce(receiver, raw, verdict.notifications);
    }
  });

  const receive = (raw: RawWebhook): Effect.Effect<Received> =>
    Effect.suspend((): Effect.Effect<Received> => {
      const receiver = receiverOf(raw.gateway);
      if (receiver === undefined) return Effect.succeed("unknown_gateway");
      return Effect.suspend(() => work(receiver, raw)).pipe(
        Effect.timeoutOrElse({
          duration: answerWithinMillis,
          orElse: (): Effect.Effect<Received> => Effect.succeed("unavailable"),
        }),
        // A reader that fails over a body has not verified it.
        Effect.catchCause((cause) => Effect.as(warnOf(raw, cause), "unavailable" as const)),
        Effect.tap((received) => Effect.sync(() => count(metric.webhooks(raw.gateway, received)))),
      );
    });

  return WebhookIntake.of({
    knows: (gateway) => receiverOf(gateway) !== undefined,
    receive,
    refused: (gateway, result) => count(metric.webhooks(receiverOf(gateway) === undefined ? "none" : gateway, result)),
  });
});

export const layerWebhookIntake = Layer.effect(WebhookIntake, make);
