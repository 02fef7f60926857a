/** `aegispay payment create`. */
import { Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { AegisClient } from "../../../client/AegisClient.ts";
import { checkRoot, jsonFlag, natsFlags } from "../../connection.ts";
import { WrongUsage } from "../../output.ts";
import { printAnswer } from "./answer.ts";
import { clientLayer, readAmount, timeoutFlag } from "./target.ts";

/** As ISO 8601 in UTC: a moment means the same wherever it is read. */
const readMoment = (text: string): Effect.Effect<string, WrongUsage> => {
  const millis = /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(millis)
    ? Effect.succeed(new Date(millis).toISOString())
    : Effect.fail(
        new WrongUsage({ message: `--expires-at ${JSON.stringify(text)} is no moment like 2030-01-31T18:00:00Z` }),
      );
};

export const create = Command.make(
  "create",
  {
    ...natsFlags,
    merchant: Flag.String("merchant").pipe(Flag.withDescription("Merchant")),
    id: Flag.String("id").pipe(Flag.withDescription("Id of the payment, and the idempotency key of its creation")),
    amount: Flag.String("amount").pipe(Flag.withDescription("Amount as people write it, 19.99")),
    currency: Flag.String("currency").pipe(Flag.withDescription("ISO 4217 code")),
    token: Flag.String("token").pipe(Flag.withDescription("Token of the card at the gateway, tok_visa")),
    capture: Flag.Literals("capture", ["automatic", "manual"]).pipe(
      Flag.withDescription("When the money is taken: at once, or by `payment capture` (default automatic)"),
      Flag.withDefault("automatic"),
    ),
    gateway: Flag.String("gateway").pipe(
      Flag.withDescription("Gateway to prefer, where it can take the payment"),
      Flag.optional,
    ),
    expiresAt: Flag.String("expires-at").pipe(
      Flag.withDescription("Until when customer and merchant may take their time, 2030-01-31T18:00:00Z"),
      Flag.optional,
    ),
    description: Flag.String("description").pipe(Flag.withDescription("What it is for"), Flag.optional),
    timeoutMillis: timeoutFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const amount = yield* readAmount(flags.amount, flags.currency);
    const expiresAt = Option.isSome(flags.expiresAt) ? yield* readMoment(flags.expiresAt.value) : undefined;
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
            ...(Option.isSome(flags.gateway) ? { gateway: flags.gateway.value } : {}),
            ...(expiresAt === undefined ? {} : { expiresAt }),
            ...(Option.isSome(flags.description) ? { description: flags.description.value } : {}),
          },
        },
        { timeoutMillis: flags.timeoutMillis },
      );
    });
    const reply = yield* Effect.provide(execute, clientLayer(flags));
    yield* printAnswer(reply, flags.json, ({ state }) => state !== "FAILURE" && state !== "NEEDS_REVIEW");
  }),
).pipe(Command.withDescription("Create a payment, wait for it, print it"));
