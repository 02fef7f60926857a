/** `aegispay payment capture | void | refund | cancel | authenticate`: what clients ask of a payment that is there. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { PaymentView } from "@aegispay/core/payment/PaymentView";
import { Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { AegisClient, type CommandOrder } from "../../../client/AegisClient.ts";
import { checkRoot, jsonFlag, natsFlags } from "../../connection.ts";
import { printAnswer } from "./answer.ts";
import {
  amountFlags,
  clientLayer,
  commandIdFlag,
  readOptionalAmount,
  readTarget,
  target,
  timeoutFlag,
} from "./target.ts";

const changeFlags = { ...natsFlags, ...target, commandId: commandIdFlag, timeoutMillis: timeoutFlag, json: jsonFlag };

type ChangeFlags = Command.Command.Config.Infer<typeof changeFlags>;

type IsDone = (payment: PaymentView, commandId: string) => boolean;

type Asked = Pick<Exclude<CommandOrder, { readonly verb?: "create" }>, "verb" | "body">;

/** Sends what the flags ask for, waits, prints. `isDone` reads the exit code from the payment. */
const change = <E>(
  flags: ChangeFlags,
  read: (payment: PaymentRef) => Effect.Effect<Asked, E, AegisClient>,
  isDone: IsDone,
) =>
  Effect.gen(function* () {
    yield* checkRoot(flags.root);
    const payment = yield* readTarget(flags);
    const execute = Effect.gen(function* () {
      const client = yield* AegisClient;
      const commandId = Option.getOrElse(flags.commandId, client.newCommandId);
      const asked = yield* read(payment);
      const order = { ...asked, merchant: payment.merchant, payment: { id: payment.paymentId }, commandId };
      const reply = yield* client.execute(order as CommandOrder, { timeoutMillis: flags.timeoutMillis });
      return { reply, commandId };
    });
    const { reply, commandId } = yield* Effect.provide(execute, clientLayer(flags));
    yield* printAnswer(reply, flags.json, (view) => isDone(view, commandId));
  });

/** The capture, void or refund that this command asked for has succeeded. */
const operationSucceeded: IsDone = ({ captures, voids, refunds }, commandId) =>
  [...captures, ...voids, ...refunds].some(
    (operation) => operation.commandId === commandId && operation.status === "SUCCEEDED",
  );

export const capture = Command.make("capture", { ...changeFlags, ...amountFlags }, (flags) =>
  change(
    flags,
    (payment) =>
      Effect.map(readOptionalAmount(flags, payment), (amount) => ({
        verb: "capture" as const,
        body: amount === undefined ? {} : { amount },
      })),
    operationSucceeded,
  ),
).pipe(Command.withDescription("Take what was authorized, all of it or a part"));

/** `void` is no name for a constant. */
export const voidRemainder = Command.make("void", changeFlags, (flags) =>
  change(flags, () => Effect.succeed({ verb: "void" as const, body: {} }), operationSucceeded),
).pipe(Command.withDescription("Let go of what was authorized and not captured"));

export const refund = Command.make(
  "refund",
  {
    ...changeFlags,
    ...amountFlags,
    reason: Flag.String("reason").pipe(Flag.withDescription("Why, for the log"), Flag.optional),
  },
  (flags) =>
    change(
      flags,
      (payment) =>
        Effect.map(readOptionalAmount(flags, payment), (amount) => ({
          verb: "refund" as const,
          body: {
            ...(amount === undefined ? {} : { amount }),
            ...(Option.isSome(flags.reason) ? { reason: flags.reason.value } : {}),
          },
        })),
      operationSucceeded,
    ),
).pipe(Command.withDescription("Give back what was captured, all of it or a part"));

export const cancel = Command.make("cancel", changeFlags, (flags) =>
  change(
    flags,
    () => Effect.succeed({ verb: "cancel" as const, body: {} }),
    ({ state }) => state === "VOIDED",
  ),
).pipe(Command.withDescription("Give up a payment that waits for its customer"));

/** The customer did not come through, or the gateway still waits for them. */
const notAuthenticated: ReadonlySet<string> = new Set([
  "REQUIRES_ACTION",
  "FAILURE",
  "VOIDED",
  "EXPIRED",
  "NEEDS_REVIEW",
]);

export const authenticate = Command.make(
  "authenticate",
  {
    ...changeFlags,
    result: Flag.String("result").pipe(
      Flag.withDescription("What the customer's browser brought back; it proves nothing, the gateway is asked"),
      Flag.withDefault("returned"),
    ),
  },
  (flags) =>
    change(
      flags,
      () => Effect.succeed({ verb: "authenticate" as const, body: { result: flags.result } }),
      ({ state }) => !notAuthenticated.has(state),
    ),
).pipe(
  Command.withDescription("Say that the customer has come back from 3-D Secure: the gateway is asked how it went"),
);
