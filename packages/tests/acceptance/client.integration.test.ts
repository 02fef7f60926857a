/** The client library against real processes. */
import { derivePaymentId } from "@aegispay/core/identity/Identity";
import { AegisClient, layerAegisClient, type CommandOrder, type CreateOrder } from "@aegispay/runtime/client";
import { Effect, Fiber, Stream } from "effect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { clearFaults, orderFaults, readLedger, takenFor } from "../support/ledger.ts";

let deployment: Deployment;
beforeAll(async () => void (deployment = await startDeployment()), 90_000);
afterAll(() => deployment?.stop());

const withClient = <A, E>(use: (client: AegisClient["Service"]) => Effect.Effect<A, E>): Promise<A> =>
  Effect.runPromise(
    Effect.flatMap(AegisClient, use).pipe(Effect.provide(layerAegisClient({ url: deployment.natsUrl, name: "test" }))),
  );

const order = (payment: CreateOrder["payment"], token = "tok_visa"): CreateOrder => ({
  merchant: "library",
  payment,
  body: { amount: { value: 4200, currency: "EUR" }, method: { type: "card", token } },
});

describe("execute", () => {
  it("waits for the end of the payment", async () => {
    const reply = await withClient((client) => client.execute(order({ id: "one" })));
    expect(reply).toMatchObject({ ok: true, replayed: false, payment: { state: "SUCCESS", captured: 4200 } });
  });

  it("derives one payment from one idempotency key of 255 characters, however often it is used", async () => {
    const idempotencyKey = `order ${"é/*> ".repeat(50)}`.slice(0, 255);
    const replies = await withClient((client) =>
      Effect.forEach([1, 2, 3], () => client.execute(order({ idempotencyKey })), { concurrency: "unbounded" }),
    );
    const paymentId = derivePaymentId(idempotencyKey)!;
    expect(replies.map((reply) => reply.ok && reply.payment.paymentId)).toEqual([paymentId, paymentId, paymentId]);
    expect(await takenFor(deployment.simulator, `library/${paymentId}`)).toHaveLength(1);
  });

  it("gets its answer although the node is killed with SIGKILL meanwhile (criterion 3)", async () => {
    const [worker] = await deployment.workers();
    const reply = await withClient((client) =>
      Effect.gen(function* () {
        const running = yield* Effect.forkChild(client.execute(order({ id: "through-a-kill" }, "tok_slow")));
        yield* Effect.promise(() => eventually("the attempt to be announced", () => hasStarted("through-a-kill")));
        process.kill(worker!.pid, "SIGKILL");
        return yield* Fiber.join(running);
      }),
    );
    expect(reply).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
    expect(await takenFor(deployment.simulator, "library/through-a-kill")).toHaveLength(1);
  });

  it("of a command that was published before under the same Msg-Id is answered, replayed", async () => {
    const again = { ...order({ id: "twice" }), commandId: "checkout-1" };
    const [first, second] = await withClient((client) => Effect.all([client.execute(again), client.execute(again)]));
    expect(first).toMatchObject({ ok: true, replayed: false });
    expect(second).toMatchObject({ ok: true, replayed: true });
  });

  it("of two payments under one command id gives each its own answer", async () => {
    const named = (id: string, token: string) => ({ ...order({ id }, token), commandId: "create-1" });
    const replies = await withClient((client) =>
      Effect.all([client.execute(named("named-a", "tok_visa")), client.execute(named("named-b", "tok_declined"))], {
        concurrency: "unbounded",
      }),
    );
    expect(replies.map((reply) => reply.ok && `${reply.payment.paymentId} ${reply.payment.state}`)).toEqual([
      "named-a SUCCESS",
      "named-b FAILURE",
    ]);
  });

  it("does every verb, each under an identity of its own", async () => {
    const to = { merchant: "library", payment: { id: "verbs" } } as const;
    const amount = (value: number) => ({ amount: { value, currency: "EUR" } });
    const { body } = order({ id: "verbs" });
    const states = await withClient((client) =>
      Effect.forEach(
        [
          { ...to, body: { ...body, capture: "manual" } },
          { ...to, verb: "capture", body: amount(1_000) },
          { ...to, verb: "capture", body: amount(1_000) },
          { ...to, verb: "void", body: {} },
          { ...to, verb: "refund", body: { ...amount(500), reason: "returned" } },
          { ...to, verb: "cancel", body: {} },
        ] satisfies ReadonlyArray<CommandOrder>,
        (asked) => Effect.map(client.execute(asked), (reply) => (reply.ok ? reply.payment.state : reply.error.code)),
      ),
    );
    expect(states).toEqual([
      "AUTHORIZED",
      "PARTIALLY_CAPTURED",
      "PARTIALLY_CAPTURED",
      "SUCCESS",
      "SUCCESS",
      "IllegalTransition",
    ]);
    expect(await readLedger(deployment.simulator)).toContainEqual(
      expect.objectContaining({ reference: "library/verbs", captured: 2_000, refunded: 500, released: 2_200 }),
    );
  });

  it("of a refund through a kill of its node, and once more under its command id, gives back once", async () => {
    await withClient((client) => client.execute(order({ id: "refunded" })));
    const refund: CommandOrder = {
      merchant: "library",
      payment: { id: "refunded" },
      verb: "refund",
      body: { amount: { value: 4_200, currency: "EUR" } },
      commandId: "return-1",
    };
    await orderFaults(deployment.simulator, { latencyMs: 1_500 });
    const [worker] = await deployment.workers();
    const first = await withClient((client) =>
      Effect.gen(function* () {
        const running = yield* Effect.forkChild(client.execute(refund));
        yield* Effect.promise(() =>
          eventually("the refund to be announced", () =>
            Effect.runPromise(
              Effect.map(
                client.get({ merchant: "library", paymentId: "refunded" }),
                ({ refunds }) => refunds.length > 0,
              ),
            ),
          ),
        );
        process.kill(worker!.pid, "SIGKILL");
        return yield* Fiber.join(running);
      }),
    );
    await clearFaults(deployment.simulator);
    expect(first).toMatchObject({ ok: true, payment: { refunded: 4_200, refunds: [{ status: "SUCCEEDED" }] } });
    const again = await withClient((client) => client.execute(refund));
    expect(again).toMatchObject({ ok: true, replayed: true });
    const [charge] = await takenFor(deployment.simulator, "library/refunded");
    expect(charge).toMatchObject({ refunded: 4_200, operations: [{ kind: "refund" }] });
  });

  it("that is given up names what to send again", async () => {
    await withClient((client) => client.execute(order({ id: "named-later" })));
    const refund = { merchant: "library", payment: { id: "named-later" }, verb: "refund", body: {} } as const;
    const impatient = withClient((client) =>
      client.execute({ ...refund, commandId: "return-2" }, { timeoutMillis: 1 }),
    );
    await expect(impatient).rejects.toThrow("command id return-2");
  });

  it("that is given up changes nothing about the payment (criterion 24)", async () => {
    const impatient = withClient((client) =>
      client.execute(order({ id: "impatient" }, "tok_slow"), { timeoutMillis: 300 }),
    );
    await expect(impatient).rejects.toThrow("goes on");
    await withClient((client) =>
      Effect.promise(() =>
        eventually("its end", () =>
          Effect.runPromise(
            Effect.map(client.get({ merchant: "library", paymentId: "impatient" }), ({ state }) => state === "SUCCESS"),
          ),
        ),
      ),
    );
    expect(await takenFor(deployment.simulator, "library/impatient")).toHaveLength(1);
  });

  it("refuses a card number, a bad id and an endless key before anything is published", async () => {
    const before = (await deployment.manager.streams.info("PAYMENTS_COMMANDS")).state.last_seq;
    const card = withClient((client) => client.execute(order({ id: "card" }, "4111111111111111")));
    await expect(card).rejects.toThrow("card number");
    await expect(withClient((client) => client.submit(order({ id: "a.b" })))).rejects.toThrow("1 to 128 characters");
    await expect(withClient((client) => client.submit(order({ idempotencyKey: "x".repeat(256) })))).rejects.toThrow(
      "255",
    );
    expect((await deployment.manager.streams.info("PAYMENTS_COMMANDS")).state.last_seq).toBe(before);
  });
});

describe("submit", () => {
  it("is done when the command is durable, and the payment goes its way", async () => {
    const view = await withClient((client) =>
      Effect.gen(function* () {
        const { payment } = yield* client.submit(order({ id: "forgotten" }));
        return yield* Stream.runCollect(
          client.events(payment, { follow: true }).pipe(Stream.takeUntil((event) => event.type === "PaymentSucceeded")),
        ).pipe(Effect.andThen(client.get(payment, { minVersion: 4 })));
      }),
    );
    expect(view).toMatchObject({ state: "SUCCESS", version: 4 });
  });
});

describe("submit of a later command", () => {
  it("is done when it is durable, and the payment's log shows it once", async () => {
    await withClient((client) => client.execute(order({ id: "refund-later" })));
    const refund: CommandOrder = {
      merchant: "library",
      payment: { id: "refund-later" },
      verb: "refund",
      body: {},
      commandId: "return-3",
    };
    const versions = await withClient((client) =>
      Effect.gen(function* () {
        const { payment, commandId } = yield* client.submit(refund);
        expect(commandId).toBe("return-3");
        yield* client.submit(refund);
        const log = client.events(payment, { follow: true });
        return yield* Stream.runCollect(log.pipe(Stream.takeUntil((event) => event.type === "RefundSucceeded")));
      }),
    );
    expect(versions.filter(({ type }) => type === "RefundRequested")).toHaveLength(1);
  });
});

describe("events", () => {
  it("replays from a version on and ends", async () => {
    await withClient((client) => client.execute(order({ id: "history" })));
    const versions = await withClient((client) =>
      Stream.runCollect(
        Stream.map(client.events({ merchant: "library", paymentId: "history" }, { from: 2 }), ({ version }) => version),
      ),
    );
    expect(versions).toEqual([2, 3, 4]);
  });

  it("follows a payment from before its beginning, without a gap", async () => {
    const payment = { merchant: "library", paymentId: "followed" };
    const versions = await withClient((client) =>
      Effect.gen(function* () {
        const following = yield* Effect.forkChild(
          Stream.runCollect(
            client.events(payment, { follow: true }).pipe(
              Stream.takeUntil((event) => event.type === "OutcomeVerified"),
              Stream.map(({ version }) => version),
            ),
          ),
        );
        yield* client.execute(order({ id: "followed" }, "tok_lost_answer"));
        return yield* Fiber.join(following);
      }),
    );
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(versions.length).toBeGreaterThanOrEqual(6);
  });

  it("of a payment that is not there fails with PaymentNotFound", async () => {
    const nobody = withClient((client) =>
      Stream.runCollect(client.events({ merchant: "library", paymentId: "nobody" })),
    );
    await expect(nobody).rejects.toThrow("there is no payment");
  });
});

/** Whether the payment's attempt is announced: its call is then under way or about to be. */
const hasStarted = async (paymentId: string): Promise<boolean> => {
  const found = await deployment.connection.request(`payments.query.library.${paymentId}.get`, "{}");
  return found.json<{ payment?: { state: string } }>().payment?.state === "PROCESSING";
};
