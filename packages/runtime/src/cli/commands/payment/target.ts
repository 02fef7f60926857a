/** Which payment a command line means, in which amount, and under which identity. */
import { isCommandId, isToken, type PaymentRef } from "@aegispay/core/identity/Identity";
import { currencyExponents } from "@aegispay/core/money/Currency";
import { formatMoney, type Money, parseMoney } from "@aegispay/core/money/Money";
import { Effect, Option } from "effect";
import { Argument, Flag } from "effect/cli";
import { AegisClient, layerAegisClient, type QueryRefused, type QueryUnanswered } from "../../../client/AegisClient.ts";
import { natsAddress } from "../../connection.ts";
import { WrongUsage } from "../../output.ts";

export const clientLayer = (flags: Parameters<typeof natsAddress>[0] & { readonly root: string }) =>
  layerAegisClient(natsAddress(flags, "aegispay-cli"), flags.root);

export const target = {
  merchant: Argument.String("merchant").pipe(Argument.withDescription("Merchant")),
  id: Argument.String("id").pipe(Argument.withDescription("Id of the payment")),
};

export const readTarget = (flags: {
  readonly merchant: string;
  readonly id: string;
}): Effect.Effect<PaymentRef, WrongUsage> =>
  isToken(flags.merchant) && isToken(flags.id)
    ? Effect.succeed({ merchant: flags.merchant, paymentId: flags.id })
    : Effect.fail(new WrongUsage({ message: "merchant and payment id have 1 to 128 characters of [A-Za-z0-9_-]" }));

export const readAmount = (amount: string, currency: string): Effect.Effect<Money, WrongUsage> => {
  const money = parseMoney(amount, currency);
  if (money !== undefined) return Effect.succeed(money);
  const exponent = currencyExponents.get(currency);
  return Effect.fail(
    new WrongUsage({
      message:
        exponent === undefined
          ? `--currency ${JSON.stringify(currency)} is not an ISO 4217 code (upper case)`
          : `--amount ${JSON.stringify(amount)} is no amount of ${currency}: more than zero, at most ${exponent} decimals, ` +
            `at most ${formatMoney({ value: Number.MAX_SAFE_INTEGER, currency })}`,
    }),
  );
};

export const amountFlags = {
  amount: Flag.String("amount").pipe(
    Flag.withDescription("Amount as people write it, 19.99 (default: all that is left)"),
    Flag.optional,
  ),
  currency: Flag.String("currency").pipe(
    Flag.withDescription("ISO 4217 code of the amount (default: the payment's own)"),
    Flag.optional,
  ),
};

/** Undefined where none is given: all that is left. Without a currency the payment is asked for its own. */
export const readOptionalAmount = (
  flags: { readonly amount: Option.Option<string>; readonly currency: Option.Option<string> },
  payment: PaymentRef,
): Effect.Effect<Money | undefined, WrongUsage | QueryRefused | QueryUnanswered, AegisClient> =>
  Effect.gen(function* () {
    if (Option.isNone(flags.amount)) {
      if (Option.isNone(flags.currency)) return undefined;
      return yield* new WrongUsage({ message: "--currency says nothing without --amount" });
    }
    const client = yield* AegisClient;
    const currency = Option.isSome(flags.currency)
      ? flags.currency.value
      : (yield* client.get(payment)).amount.currency;
    return yield* readAmount(flags.amount.value, currency);
  });

export const commandIdFlag = Flag.String("command-id").pipe(
  Flag.withDescription(
    "Identity of this command: with the same one it is done once, however often it is sent (default: random)",
  ),
  Flag.filter(isCommandId, () => "1 to 128 characters of [A-Za-z0-9_-:./]"),
  Flag.optional,
);

export const timeoutFlag = Flag.Int("timeout-millis").pipe(
  Flag.withDescription("How long to wait for the answer (default 60000)"),
  Flag.withDefault(60_000),
);
