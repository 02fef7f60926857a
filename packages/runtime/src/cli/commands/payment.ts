/** `aegispay payment create | show | events`. */
import { formatMoney, parseMoney } from "@aegispay/core/money/Money";
import { currencyExponents } from "@aegispay/core/money/Currency";
import { isToken } from "@aegispay/core/identity/Identity";
import type { PaymentView } from "@aegispay/core/payment/PaymentView";
import { Effect, Option, Stream } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { AegisClient, layerAegisClient } from "../../client/AegisClient.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { colour, FailedQuietly, printJson, printResult, Refused, WrongUsage } from "../output.ts";

const clientLayer = (flags: Parameters<typeof natsAddress>[0] & { readonly root: string }) =>
  layerAegisClient(natsAddress(flags, "aegispay-cli"), flags.root);

const describe = (payment: PaymentView): string => {
  const tint = payment.state === "SUCCESS" ? colour.green : payment.state === "FAILURE" ? colour.red : colour.yellow;
  const lines = [
    `${payment.merchant}/${payment.paymentId}  ${tint(payment.state, process.stdout)}  ${formatMoney(payment.amount)}  version ${payment.version}`,
  ];
  if (payment.failure !== undefined) {
    const { code, message, declineCode } = payment.failure;
    lines.push(`  failure: ${code}${declineCode === undefined ? "" : ` (${declineCode})`}: ${message}`);
  }
  if (payment.nextAction !== undefined) lines.push(`  next: send the customer to ${payment.nextAction.url}`);
  for (const attempt of payment.attempts) {
    lines.push(
      `  attempt ${attempt.number} at ${attempt.gateway}: ${attempt.status} ${attempt.gatewayTransactionId ?? ""}`.trimEnd(),
    );
  }
  return lines.join("\n");
};

const readAmount = (amount: string, currency: string) => {
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

const create = Command.make(
  "create",
  {
    ...natsFlags,
    merchant: Flag.String("merchant").pipe(Flag.withDescription("Merchant")),
    id: Flag.String("id").pipe(Flag.withDescription("Id of the payment, and the idempotency key of its creation")),
    amount: Flag.String("amount").pipe(Flag.withDescription("Amount as people write it, 19.99")),
    currency: Flag.String("currency").pipe(Flag.withDescription("ISO 4217 code")),
    token: Flag.String("token").pipe(Flag.withDescription("Token of the card at the gateway, tok_visa")),
    capture: Flag.Literals("capture", ["automatic", "manual"]).pipe(
      Flag.withDescription("When the money is taken; manual is not supported yet (default automatic)"),
      Flag.withDefault("automatic"),
    ),
    description: Flag.String("description").pipe(Flag.withDescription("What it is for"), Flag.optional),
    timeoutMillis: Flag.Int("timeout-millis").pipe(
      Flag.withDescription("How long to wait for the answer (default 60000)"),
      Flag.withDefault(60_000),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const amount = yield* readAmount(flags.amount, flags.currency);
    const execute = Effect.gen(function* () {
      const client = yield* AegisClient;
      return yield* client.execute(
        {
          merchant: flags.merchant,
          payment: { id: flags.id },
          body: {
            amount,
            method: { type: "card", token: flags.token },
            ...(flags.capture === "manual" ? { capture: flags.capture } : {}),
            ...(Option.isSome(flags.description) ? { description: flags.description.value } : {}),
          },
        },
        { timeoutMillis: flags.timeoutMillis },
      );
    });
    const reply = yield* Effect.provide(execute, clientLayer(flags));
    if (flags.json) yield* printJson(reply);
    else if (reply.ok) yield* printResult(describe(reply.payment) + (reply.replayed ? "\n  (replayed)" : ""));
    if (!reply.ok) {
      return yield* flags.json
        ? new FailedQuietly()
        : new Refused({ message: `${reply.error.code}: ${reply.error.message}` });
    }
    if (reply.payment.state === "FAILURE") return yield* new FailedQuietly();
  }),
).pipe(Command.withDescription("Create a payment, wait for it, print it"));

const target = {
  merchant: Argument.String("merchant").pipe(Argument.withDescription("Merchant")),
  id: Argument.String("id").pipe(Argument.withDescription("Id of the payment")),
};

const checkTarget = (merchant: string, id: string) =>
  isToken(merchant) && isToken(id)
    ? Effect.void
    : Effect.fail(new WrongUsage({ message: "merchant and payment id have 1 to 128 characters of [A-Za-z0-9_-]" }));

const show = Command.make(
  "show",
  { ...natsFlags, ...target, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    yield* checkTarget(flags.merchant, flags.id);
    const get = Effect.gen(function* () {
      const client = yield* AegisClient;
      return yield* client.get({ merchant: flags.merchant, paymentId: flags.id });
    });
    const payment = yield* Effect.provide(get, clientLayer(flags));
    yield* flags.json ? printJson(payment) : printResult(describe(payment));
  }),
).pipe(Command.withDescription("Show a payment's state"));

const events = Command.make(
  "events",
  {
    ...natsFlags,
    ...target,
    from: Flag.Int("from").pipe(Flag.withDescription("First version to show"), Flag.withDefault(1)),
    follow: Flag.Boolean("follow").pipe(
      Flag.withDescription("Go on with what is still to come"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    yield* checkTarget(flags.merchant, flags.id);
    const { from, follow } = flags;
    const payment = { merchant: flags.merchant, paymentId: flags.id };
    const read = Effect.gen(function* () {
      const client = yield* AegisClient;
      const log = client.events(payment, { from, follow });
      // One document when the log ends; one a line when it is followed.
      if (flags.json && !follow) return yield* printJson(yield* Stream.runCollect(log));
      yield* Stream.runForEach(log, (event) =>
        flags.json
          ? printJson(event)
          : printResult(
              `${String(event.version).padStart(4)}  ${event.at}  ${event.type}  ${JSON.stringify(event.data)}`,
            ),
      );
    });
    yield* Effect.provide(read, clientLayer(flags));
  }),
).pipe(Command.withDescription("Show, or follow, a payment's log"));

export const payment = Command.make("payment").pipe(
  Command.withDescription("Create and look at payments"),
  Command.withSubcommands([create, show, events]),
);
