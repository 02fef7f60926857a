/** What the receiver of webhooks does when it ends, or its store fails, between any two of its steps. */
import { Gateways, type Gateway } from "@aegispay/gateways/Gateway";
import type { Notification, ReadWebhook } from "@aegispay/gateways/webhooks/Webhook";
import { layerWebhookIntake, WebhookIntake } from "@aegispay/runtime/webhooks/WebhookIntake";
import { type RawWebhook, WebhooksUnavailable, WebhookStore } from "@aegispay/runtime/webhooks/WebhookStore";
import { describe, expect, it } from "@effect/vitest";
import { Context, Effect, Fiber, Layer, Scheduler } from "effect";

const key = `ap_${"k".repeat(43)}`;
const payment = { merchant: "shop", paymentId: "order-1" };
const notification: Notification = {
  dedupeKey: "evt_1",
  event: "capture.succeeded",
  idempotencyKey: key,
  gatewayTransactionId: "ch_1",
  amount: { value: 100, currency: "USD" },
  evidence: {
    about: "operation",
    outcome: { _tag: "Done", operationId: "op_1", amount: { value: 100, currency: "USD" } },
  },
};

const raw = { gateway: "north", rawBody: Buffer.from("{}"), headers: {}, receivedAt: 1_000 };

/** Remembers what was done, in its order; the n-th step fails where the test says so, and then never again. */
const storeOf = (failAt = Number.POSITIVE_INFINITY, isSlow = false) => {
  const done: Array<string> = [];
  const marks = new Set<string>();
  let steps = 0;
  const step = <A>(name: string, act: () => A): Effect.Effect<A, WebhooksUnavailable> =>
    Effect.suspend(() => {
      if (++steps === failAt) return new WebhooksUnavailable({ cause: "ordered" });
      done.push(name);
      return isSlow ? Effect.as(Effect.sleep(5), act()) : Effect.succeed(act());
    });
  const store = WebhookStore.of({
    keep: (_, verdict) => step(`keep ${verdict}`, () => 7),
    keepRefused: () => step("refused", () => undefined),
    isKnown: (_, mark) => step("known?", () => marks.has(mark)),
    markKnown: (_, mark) => step("mark", () => void marks.add(mark)),
    keepEvidence: () => step("evidence", () => undefined),
    findPayment: (asked) => step("find", () => (asked === key ? payment : undefined)),
    publish: (to) => step(`publish ${to.paymentId}`, () => undefined),
    parkUnreadable: () => step("park", () => undefined),
  });
  return { store, done };
};

const intakeOf = (store: WebhookStore["Service"], readWebhook: ReadWebhook) => {
  const gateway = { name: "north", account: "n1", readWebhook } as unknown as Gateway;
  const gateways = {
    candidates: [{ gateway: "north", account: "n1", keyRetentionMillis: 1 }],
    find: () => gateway,
  };
  const layer = layerWebhookIntake.pipe(
    Layer.provide(Layer.succeed(WebhookStore, store)),
    Layer.provide(Layer.succeed(Gateways, gateways)),
  );
  return Effect.map(Layer.build(layer), (services) => Context.get(services, WebhookIntake));
};

const verified: ReadWebhook = () => ({ _tag: "Verified", notifications: [notification] });
const whole = ["known?", "keep genuine", "evidence", "find", "publish order-1", "mark"];

describe("a genuine webhook", () => {
  it.effect("is kept, its evidence is durable, its payment is told, and only then is it known", () =>
    Effect.gen(function* () {
      const { store, done } = storeOf();
      const intake = yield* intakeOf(store, verified);
      expect(yield* intake.receive(raw)).toBe("accepted");
      expect(done).toEqual(whole);
      expect(yield* intake.receive(raw)).toBe("duplicate");
      expect(done).toEqual([...whole, "known?"]);
    }),
  );

  it.effect.each(whole.map((name, index) => [index + 1, name] as const))(
    "is to be sent again when step %i fails (%s), and is then told to its payment",
    ([failAt]) =>
      Effect.gen(function* () {
        const { store, done } = storeOf(failAt);
        const intake = yield* intakeOf(store, verified);
        expect(yield* intake.receive(raw)).toBe("unavailable");
        expect(yield* intake.receive(raw)).toBe("accepted");
        expect(done.slice(-whole.length)).toEqual(whole);
        expect(done.filter((name) => name === "mark")).toHaveLength(1);
      }),
  );

  it.effect("that holds an item many times is told of it once, and known the next time", () =>
    Effect.gen(function* () {
      const { store, done } = storeOf();
      const notifications = Array.from({ length: 1_001 }, () => notification);
      const intake = yield* intakeOf(store, () => ({ _tag: "Verified", notifications }));
      expect(yield* intake.receive(raw)).toBe("accepted");
      expect(done).toEqual(whole);
      expect(yield* intake.receive(raw)).toBe("duplicate");
      expect(done).toEqual([...whole, "known?"]);
    }),
  );

  it.live("that comes twice at the same time is told once", () =>
    Effect.gen(function* () {
      const { store, done } = storeOf(undefined, true);
      const intake = yield* intakeOf(store, verified);
      const received = yield* Effect.all([intake.receive(raw), intake.receive(raw), intake.receive(raw)], {
        concurrency: "unbounded",
      });
      expect(received.toSorted()).toEqual(["accepted", "duplicate", "duplicate"]);
      expect(done.filter((name) => name.startsWith("publish"))).toHaveLength(1);
    }),
  );
});

describe("the receiver", () => {
  it.live("takes one again whose taking was cut off, wherever that was", () =>
    Effect.gen(function* () {
      for (let steps = 0; steps < 60; steps++) {
        const { store } = storeOf();
        const intake = yield* intakeOf(store, verified);
        const cutOff = yield* Effect.forkChild(
          Effect.provideService(intake.receive(raw), Scheduler.MaxOpsBeforeYield, 4),
        );
        for (let step = 0; step < steps; step++) yield* Effect.yieldNow;
        yield* Fiber.interrupt(cutOff);
        expect(["accepted", "duplicate"], `cut off after ${steps} steps`).toContain(yield* intake.receive(raw));
      }
    }),
  );

  it.live("answers within a second although its store gives no answer", () =>
    Effect.gen(function* () {
      const { store } = storeOf();
      const intake = yield* intakeOf({ ...store, keep: () => Effect.never }, verified);
      const began = Date.now();
      expect(yield* intake.receive(raw)).toBe("unavailable");
      expect(Date.now() - began).toBeLessThan(1_000);
      expect(yield* intake.receive({ ...raw, gateway: "south" })).toBe("unknown_gateway");
    }),
  );

  it.effect("believes nothing that a reader which fails over a body has said", () =>
    Effect.gen(function* () {
      const { store, done } = storeOf();
      const intake = yield* intakeOf(store, () => {
        throw new Error("defect");
      });
      expect(yield* intake.receive(raw)).toBe("unavailable");
      expect(done).toEqual([]);
    }),
  );

  it.effect("keeps no card number, of no webhook, in no header, and every other byte", () =>
    Effect.gen(function* () {
      const { store } = storeOf();
      const kept: Array<RawWebhook> = [];
      const keeping = {
        ...store,
        keep: (one: RawWebhook) => Effect.sync(() => kept.push(one)),
        keepRefused: (one: RawWebhook) => Effect.sync(() => void kept.push(one)),
      };
      const text = `{"card":"4242 4242 4242 4242","phone":"+5511912345678","id":"\u00fc4242424242424242","n":1}`;
      const sent = {
        ...raw,
        rawBody: Buffer.concat([Buffer.from(text), Buffer.from([0, 255])]),
        headers: { a: "4111111111111111" },
      };
      for (const verdict of [
        { _tag: "Verified", notifications: [notification] },
        { _tag: "Unreadable", reason: "no" },
        { _tag: "Forged", reason: "no" },
      ] as const) {
        const intake = yield* intakeOf(keeping, () => verdict);
        yield* intake.receive(sent);
        yield* Effect.yieldNow;
      }
      expect(kept).toHaveLength(3);
      const masked = text
        .replaceAll("4242 4242 4242 4242", "**** **** **** ****")
        .replaceAll("4242424242424242", "*".repeat(16));
      for (const { rawBody, headers } of kept) {
        expect(Buffer.concat([Buffer.from(masked), Buffer.from([0, 255])]).equals(rawBody)).toBe(true);
        expect(headers).toEqual({ a: "*".repeat(16) });
      }
      const intake = yield* intakeOf(keeping, () => ({ _tag: "Unreadable", reason: "no" }));
      yield* intake.receive(raw);
      expect(kept.at(-1)?.rawBody).toBe(raw.rawBody);
    }),
  );

  it.effect("notes one of many forged ones", () =>
    Effect.gen(function* () {
      const { store, done } = storeOf();
      const intake = yield* intakeOf(store, () => ({ _tag: "Forged", reason: "no" }));
      for (let index = 0; index < 100; index++) expect(yield* intake.receive(raw)).toBe("forged");
      yield* Effect.yieldNow;
      expect(done).toEqual(["refused"]);
    }),
  );

  it.effect("does not look for a payment by a key that no deployment of ours could have made", () =>
    Effect.gen(function* () {
      const { store, done } = storeOf();
      const foreign = { ...notification, idempotencyKey: "order-55" };
      const intake = yield* intakeOf(store, () => ({ _tag: "Verified", notifications: [foreign] }));
      expect(yield* intake.receive(raw)).toBe("ignored");
      expect(done).toEqual(["keep genuine"]);
    }),
  );
});
