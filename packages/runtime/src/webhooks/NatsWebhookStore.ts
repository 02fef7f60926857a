/** What comes from gateways, on NATS: raw in a stream, marks and refused ones in buckets, notifications in the command stream. */
import { isoTime } from "@aegispay/core/payment/Given";
import { jetstream } from "@nats-io/jetstream";
import { Kvm, type KV } from "@nats-io/kv";
import { headers as newHeaders } from "@nats-io/nats-core";
import { Effect, Layer } from "effect";
import { hash } from "node:crypto";
import { DeadLetters } from "../dead/DeadLetters.ts";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { GatewayKeys } from "./GatewayKeys.ts";
import { encodeNotifyBody } from "./NotifyBody.ts";
import { unaddressed } from "./waitingNotifications.ts";
import { asLine, encodeRefused, receivedHeader, webhookHeadersHeader } from "./storedWebhook.ts";
import { WebhooksUnavailable, WebhookStore } from "./WebhookStore.ts";

/** How long one request may take, in milliseconds: a gateway is answered within a second whatever happens. */
const requestMillis = 700;

/** Whatever a gateway names its notifications, it is a token here, and says nothing about them. */
const markOf = (gateway: string, dedupeKey: string): string => `${gateway}.${hash("sha256", dedupeKey, "base64url")}`;

export const layerNatsWebhookStore = Layer.effect(
  WebhookStore,
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    const { addresses } = yield* Deployment;
    const keys = yield* GatewayKeys;
    const deadLetters = yield* DeadLetters;
    const impatient = jetstream(connection, { timeout: requestMillis });
    const kvm = new Kvm(impatient);
    const buckets = new Map<string, Promise<KV>>();
    const bucket = (name: string): Promise<KV> => {
      const known = buckets.get(name) ?? kvm.open(name);
      buckets.set(name, known);
      known.catch(() => buckets.delete(name));
      return known;
    };
    const attempt = <A>(run: () => Promise<A>) =>
      Effect.tryPromise({ try: run, catch: (cause) => new WebhooksUnavailable({ cause }) });
    const unavailable = (cause: unknown) => new WebhooksUnavailable({ cause });

    return WebhookStore.of({
      keep: ({ gateway, rawBody, headers, receivedAt }, verdict) =>
        attempt(async () => {
          const sent = newHeaders();
          sent.set(webhookHeadersHeader, asLine(headers));
          sent.set(receivedHeader, isoTime(receivedAt));
          const { seq } = await impatient.publish(addresses.webhook(gateway, verdict), rawBody, { headers: sent });
          return seq;
        }),
      keepRefused: (raw, reason) =>
        attempt(async () => {
          const refused = encodeRefused(raw, reason, isoTime(raw.receivedAt));
          await (await bucket(addresses.buckets.refusedWebhooks)).put(raw.gateway, refused);
        }),
      isKnown: (gateway, dedupeKey) =>
        attempt(async () => {
          const entry = await (await bucket(addresses.buckets.notified)).get(markOf(gateway, dedupeKey));
          return entry?.operation === "PUT";
        }),
      markKnown: (gateway, dedupeKey, sequence) =>
        attempt(async () => {
          await (await bucket(addresses.buckets.notified)).put(markOf(gateway, dedupeKey), String(sequence));
        }),
      keepEvidence: (gateway, account, key, notification) =>
        attempt(async () => {
          await impatient.publish(addresses.evidence(gateway, account, key), JSON.stringify(notification));
        }),
      findPayment: (key) => Effect.mapError(keys.find(key), unavailable),
      publish: (payment, body) =>
        attempt(async () => {
          await impatient.publish(addresses.internal(payment, "notify"), encodeNotifyBody(body));
        }),
      parkUnreadable: (gateway, sequence, reason) =>
        Effect.mapError(
          deadLetters.park({
            payment: unaddressed(gateway),
            source: "internal",
            verb: "webhook",
            code: "InvalidCommand",
            reason: `a signed webhook of ${gateway} cannot be read: ${reason}; it is message ${sequence} of ${addresses.streams.webhooks}`,
            // One a gateway and window: a gateway that sends nothing else must not fill what people look at.
            message: `webhook/${gateway}/unreadable`,
            at: isoTime(Date.now()),
          }),
          unavailable,
        ),
    });
  }),
);
