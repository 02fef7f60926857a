/** `aegispay payment resolve`: an operator's word about a payment in review, or about one of its operations. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { ResolveBody } from "@aegispay/core/payment/CommandBodies";
import { Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { AegisClient } from "../../../client/AegisClient.ts";
import { checkRoot, jsonFlag, natsFlags } from "../../connection.ts";
import { WrongUsage } from "../../output.ts";
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

const ofPayments = ["SUCCESS", "AUTHORIZED", "FAILURE", "VOIDED", "EXPIRED"] as const;
const ofOperations = ["SUCCEEDED", "FAILED"] as const;

const flags = {
  ...natsFlags,
  ...target,
  as: Flag.Literals("as", [...ofPayments, ...ofOperations]).pipe(
    Flag.withDescription(
      "What it is: of a payment SUCCESS, AUTHORIZED, FAILURE, VOIDED or EXPIRED; with --operation SUCCEEDED or FAILED",
    ),
  ),
  reason: Flag.String("reason").pipe(Flag.withDescription("How that is known, for the log")),
  operation: Flag.Int("operation").pipe(
    Flag.withDescription("Number of the capture, void or refund that is meant, as `payment show` has it"),
    Flag.optional,
  ),
  gatewayTransactionId: Flag.String("gateway-transaction-id").pipe(
    Flag.withDescription("The charge's id at the gateway"),
    Flag.optional,
  ),
  ...amountFlags,
  amount: amountFlags.amount.pipe(
    Flag.withDescription(
      "What the gateway holds or has taken, as people write it, 19.99 (default: what was asked for)",
    ),
  ),
  commandId: commandIdFlag,
  timeoutMillis: timeoutFlag,
  json: jsonFlag,
};

type Flags = Command.Command.Config.Infer<typeof flags>;

const isOneOf = <Name extends string>(names: ReadonlyArray<Name>, name: string): name is Name =>
  (names as ReadonlyArray<string>).includes(name);

const readBody = Effect.fnUntraced(function* (given: Flags, payment: PaymentRef) {
  const { as, reason } = given;
  if (Option.isSome(given.operation)) {
    if (!isOneOf(ofOperations, as)) {
      return yield* new WrongUsage({ message: `an operation is ${ofOperations.join(" or ")}, not ${as}` });
    }
    if (Option.isSome(given.amount) || Option.isSome(given.gatewayTransactionId)) {
      return yield* new WrongUsage({ message: "--amount and --gateway-transaction-id are about the payment itself" });
    }
    const body: ResolveBody = { operation: given.operation.value, as, reason };
    return body;
  }
  if (!isOneOf(ofPayments, as)) {
    return yield* new WrongUsage({ message: `a payment is ${ofPayments.join(", ")}; ${as} needs --operation` });
  }
  const amount = yield* readOptionalAmount(given, payment);
  const body: ResolveBody = {
    as,
    reason,
    ...(Option.isSome(given.gatewayTransactionId) ? { gatewayTransactionId: given.gatewayTransactionId.value } : {}),
    ...(amount === undefined ? {} : { amount }),
  };
  return body;
});

export const resolve = Command.make(
  "resolve",
  flags,
  Effect.fnUntraced(function* (given) {
    yield* checkRoot(given.root);
    const payment = yield* readTarget(given);
    const execute = Effect.gen(function* () {
      const client = yield* AegisClient;
      const body = yield* readBody(given, payment);
      const order = {
        merchant: payment.merchant,
        payment: { id: payment.paymentId },
        body,
        ...(Option.isSome(given.commandId) ? { commandId: given.commandId.value } : {}),
      };
      return yield* client.resolve(order, { timeoutMillis: given.timeoutMillis });
    });
    const reply = yield* Effect.provide(execute, clientLayer(given));
    yield* printAnswer(reply, given.json, () => true);
  }),
).pipe(Command.withDescription("For operators: settle what needs review (NEEDS_REVIEW)"));
