/** The simulator's own webhooks: what they say, how they are signed, and what goes wrong with them when it is ordered to. */
import { simulatorWebhook } from "@aegispay/gateways/simulator/SimulatorWebhook";
import type { WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Redacted } from "effect";
import { createHmac } from "node:crypto";
import { eventually, runningSimulator, scratchDirectory, type PlainClient } from "./simulatorHarness.ts";
import { webhookReceiver } from "./webhookReceiver.ts";

const secret = "whsec_c2ltdWxhdG9y";
const read = simulatorWebhook([Redacted.make(secret)]);

const wired = Effect.gen(function* () {
  const receiver = yield* webhookReceiver;
  const simulator = yield* runningSimulator();
  yield* simulator.answered("PUT", "/admin/webhooks", { url: receiver.url, secret });
  return {
    receiver,
    simulator,
    faults: (faults: object) => simulator.answered("PUT", "/admin/webhooks/faults", faults),
  };
});

const allDelivered = (simulator: PlainClient) =>
  eventually(simulator.get("/admin/webhooks"), ({ body }) => body.pending === 0);

const documentOf = ({ rawBody }: WebhookDelivery) => JSON.parse(Buffer.from(rawBody).toString("utf8"));
const typesOf = (deliveries: ReadonlyArray<WebhookDelivery>) => deliveries.map((one) => documentOf(one).type as string);

describe("the simulator's webhooks", () => {
  it.live("tell of charges, operations and what banks do, with key, reference and amount", () =>
    Effect.gen(function* () {
      const { receiver, simulator } = yield* wired;
      const { body: charge } = yield* simulator.charge("key-1", { capture: "manual" });
      yield* allDelivered(simulator);
      yield* simulator.operate(charge.id, "capture", "key-2", { amount: 700 });
      yield* allDelivered(simulator);
      yield* simulator.operate(charge.id, "refund", "key-3", { amount: 100 });
      yield* allDelivered(simulator);
      yield* simulator.answered("POST", `/admin/charges/${charge.id}/reverse-refund`, {});
      yield* simulator.charge("key-4", { token: "tok_declined" });
      yield* allDelivered(simulator);
      expect(typesOf(receiver.deliveries).toSorted()).toEqual(
        ["charge.authorized", "capture.succeeded", "refund.succeeded", "refund.reversed", "charge.declined"].toSorted(),
      );
      const about = { reference: "shop/order-1", gatewayTransactionId: charge.id };
      const notifications = receiver.deliveries.flatMap((delivery) => {
        const verdict = read(delivery);
        return verdict._tag === "Verified" ? verdict.notifications : [];
      });
      expect(notifications).toContainEqual({
        ...about,
        dedupeKey: expect.any(String),
        event: "charge.authorized",
        idempotencyKey: "key-1",
        amount: { value: 1999, currency: "USD" },
        says: "authorized",
      });
      expect(notifications).toContainEqual({
        ...about,
        dedupeKey: expect.any(String),
        event: "capture.succeeded",
        idempotencyKey: "key-2",
        amount: { value: 700, currency: "USD" },
        says: "succeeded",
      });
      // What is taken back says nothing that could be known already.
      expect(notifications.find(({ event }) => event === "refund.reversed")).not.toHaveProperty("says");
      expect(new Set(notifications.map(({ dedupeKey }) => dedupeKey)).size).toBe(5);
    }),
  );

  it.live("are signed as Standard Webhooks are", () =>
    Effect.gen(function* () {
      const { receiver, simulator } = yield* wired;
      yield* simulator.charge("key-1");
      yield* allDelivered(simulator);
      const { rawBody, headers } = receiver.deliveries[0]!;
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${Buffer.from(rawBody).toString("utf8")}`;
      const key = Buffer.from("c2ltdWxhdG9y", "base64");
      expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
      expect(documentOf(receiver.deliveries[0]!).id).toBe(headers["webhook-id"]);
    }),
  );

  it.live("come again until they are taken, with the same id and body", () =>
    Effect.gen(function* () {
      const { receiver, simulator } = yield* wired;
      receiver.answers.push(503, 500);
      yield* simulator.charge("key-1");
      yield* allDelivered(simulator);
      expect(receiver.deliveries).toHaveLength(3);
      expect(new Set(receiver.deliveries.map(({ rawBody }) => Buffer.from(rawBody).toString("utf8"))).size).toBe(1);
    }),
  );

  it.live(
    "that were not taken are sent again by the next simulator of the same ledger, whatever is charged meanwhile",
    () =>
      Effect.gen(function* () {
        const receiver = yield* webhookReceiver;
        const dataDir = yield* scratchDirectory;
        yield* Effect.scoped(
          Effect.gen(function* () {
            const first = yield* runningSimulator({ dataDir });
            yield* first.answered("PUT", "/admin/webhooks", { url: "http://127.0.0.1:1/nobody", secret });
            yield* first.charge("key-1");
            const { body } = yield* first.get("/admin/webhooks");
            expect(body).toEqual({ url: "http://127.0.0.1:1/nobody", pending: 1 });
          }),
        );
        const second = yield* runningSimulator({ dataDir });
        expect((yield* second.get("/admin/webhooks")).body).toMatchObject({ pending: 1 });
        yield* second.answered("PUT", "/admin/webhooks", { url: receiver.url, secret });
        yield* second.charge("key-2");
        yield* allDelivered(second);
        expect(receiver.deliveries.map((one) => documentOf(one).data.charge.idempotencyKey).toSorted()).toEqual([
          "key-1",
          "key-2",
        ]);
      }),
  );

  it.live("are not sent where nobody wants them, or where they are ordered never to be", () =>
    Effect.gen(function* () {
      const { receiver, simulator, faults } = yield* wired;
      yield* faults({ never: true });
      yield* simulator.charge("key-1");
      yield* simulator.answered("DELETE", "/admin/webhooks/faults");
      yield* simulator.answered("DELETE", "/admin/webhooks");
      yield* simulator.charge("key-2");
      expect((yield* simulator.get("/admin/webhooks")).body).toEqual({ url: null, pending: 0 });
      expect(receiver.deliveries).toEqual([]);
    }),
  );

  it.live("are doubled, forged, late, out of order and about others where that is ordered", () =>
    Effect.gen(function* () {
      const { receiver, simulator, faults } = yield* wired;
      yield* faults({ copies: 3 });
      yield* simulator.charge("key-1");
      yield* allDelivered(simulator);
      expect(receiver.deliveries).toHaveLength(3);
      yield* faults({ forged: true });
      yield* simulator.charge("key-2");
      yield* allDelivered(simulator);
      expect(read(receiver.deliveries[3]!)).toMatchObject({ _tag: "Forged" });
      const began = Date.now();
      yield* faults({ delayMs: 300, reference: "others/payment" });
      yield* simulator.charge("key-3");
      yield* allDelivered(simulator);
      expect(Date.now() - began).toBeGreaterThanOrEqual(295);
      expect(read(receiver.deliveries[4]!)).toMatchObject({ notifications: [{ reference: "others/payment" }] });
      yield* faults({ outOfOrder: true });
      // The fourth event comes alone; the next two are a pair.
      yield* simulator.charge("key-4");
      const { body } = yield* simulator.charge("key-5", { capture: "manual" });
      yield* simulator.operate(body.id, "capture", "key-6", {});
      yield* allDelivered(simulator);
      expect(typesOf(receiver.deliveries.slice(-2))).toEqual(["capture.succeeded", "charge.authorized"]);
    }),
  );

  it.live("cannot be ordered to nowhere, without a secret, or with a fault that is misspelt", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      for (const [path, order] of [
        ["/admin/webhooks", { url: "file:///etc/passwd", secret }],
        ["/admin/webhooks", { url: "nowhere", secret }],
        ["/admin/webhooks", { url: "http://127.0.0.1:1" }],
        ["/admin/webhooks/faults", { doubled: true }],
        ["/admin/webhooks/faults", { copies: 0 }],
      ] as const) {
        expect((yield* simulator.answered("PUT", path, order)).status).toBe(400);
      }
    }),
  );
});
