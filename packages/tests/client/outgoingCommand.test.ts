import { canonicalHash } from "@aegispay/core/identity/canonical";
import { prepareCommand, prepareResolve, type CommandOrder } from "@aegispay/runtime/client/outgoingCommand";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";

const numbered = () => {
  let last = 0;
  return () => `generated-${++last}`;
};

const to = { merchant: "shop", payment: { id: "order-1" } };
const create = { amount: { value: 1999, currency: "USD" }, method: { type: "card", token: "tok_visa" } } as const;

const later: ReadonlyArray<CommandOrder> = [
  { ...to, verb: "authenticate", body: { result: { pares: "x" } } },
  { ...to, verb: "capture", body: { amount: { value: 5, currency: "USD" } } },
  { ...to, verb: "void", body: {} },
  { ...to, verb: "refund", body: { reason: "returned" } },
  { ...to, verb: "cancel", body: {} },
];

describe("a command on its way out", () => {
  it.effect("has a Nats-Msg-Id if it is a create, which names payment, command and body", () =>
    Effect.gen(function* () {
      const command = yield* prepareCommand({ ...to, body: create, commandId: "c-1" }, numbered());
      expect(command).toMatchObject({
        payment: { merchant: "shop", paymentId: "order-1" },
        verb: "create",
        from: "client",
        commandId: "c-1",
        messageId: `shop/order-1/create/c-1/${canonicalHash(create)}`,
        identity: "payment id order-1",
      });
    }),
  );

  for (const order of later) {
    it.effect(`has none if it is a ${order.verb}, and a command id of its own unless it brings one`, () =>
      Effect.gen(function* () {
        const newCommandId = numbered();
        const command = yield* prepareCommand(order, newCommandId);
        expect(command).toMatchObject({ verb: order.verb, from: "client", commandId: "generated-1" });
        expect(JSON.parse(command.body)).toEqual(order.body);
        expect(command).not.toHaveProperty("messageId");
        expect(command.identity).toBe("command id generated-1");
        const named = yield* prepareCommand({ ...order, commandId: "mine" }, newCommandId);
        expect(named.commandId).toBe("mine");
        expect((yield* prepareCommand(order, newCommandId)).commandId).toBe("generated-2");
      }),
    );
  }

  it.effect("goes where operators publish if it resolves a review", () =>
    Effect.gen(function* () {
      const body = { as: "FAILURE", reason: "the bank said so" } as const;
      expect(yield* prepareResolve({ ...to, body }, numbered())).toMatchObject({ verb: "resolve", from: "operator" });
    }),
  );

  for (const [title, order, code] of [
    ["a card number", { ...to, verb: "refund", body: { reason: "card 4242 4242 4242 4242" } }, "CardDataRefused"],
    ["a card number as its id", { ...to, verb: "void", body: {}, commandId: "4242424242424242" }, "CardDataRefused"],
    ["a command id with blanks", { ...to, verb: "cancel", body: {}, commandId: "a b" }, "InvalidCommand"],
    ["a payment id with a dot", { ...to, payment: { id: "a.b" }, verb: "void", body: {} }, "InvalidCommand"],
    ["no payment", { ...to, payment: { idempotencyKey: "" }, verb: "void", body: {} }, "InvalidCommand"],
  ] as const) {
    it.effect(`never leaves with ${title}`, () =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(prepareCommand(order, numbered()))).toMatchObject({ code });
      }),
    );
  }
});
