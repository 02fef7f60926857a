/**
 * Where answers to this client's commands arrive: one token a client, one subscription a merchant, told apart by the
 * command id that every answer carries.
 */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import { CommandReply } from "@aegispay/core/payment/Reply";
import type { Msg, Subscription } from "@nats-io/nats-core";
import { Deferred, Effect, Option, Schema } from "effect";
import type { Nats } from "../nats/NatsConnection.ts";
import { AnswerTimeout, type NotAccepted } from "./ClientErrors.ts";

const decodeReply = Schema.decodeUnknownOption(Schema.fromJsonString(CommandReply));

export interface AwaitedAnswer {
  readonly merchant: string;
  readonly paymentId: string;
  readonly commandId: string;
  readonly timeoutMillis: number;
  /** How long the first publish is given before it is repeated; doubles each time. */
  readonly patienceMillis: number;
}

export const makeAnswerDesk = Effect.fnUntraced(function* (
  { connection, newId }: Nats["Service"],
  addresses: AddressBook,
) {
  const token = newId();
  const waiting = new Map<string, Set<Deferred.Deferred<CommandReply>>>();
  const subscriptions = new Map<string, Subscription>();
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const subscription of subscriptions.values()) subscription.unsubscribe();
    }),
  );

  const onAnswer = (message: Msg): void => {
    const commandId = message.headers?.get("Aegis-Command-Id") ?? "";
    const reply = Option.getOrUndefined(decodeReply(message.string()));
    if (reply === undefined) return;
    for (const deferred of waiting.get(commandId) ?? []) Deferred.doneUnsafe(deferred, Effect.succeed(reply));
  };

  const tokenFor = (merchant: string): string => {
    if (!subscriptions.has(merchant)) {
      const subject = addresses.reply(merchant, token);
      const callback = (error: Error | null, message: Msg) => {
        if (error === null) onAnswer(message);
      };
      subscriptions.set(merchant, connection.subscribe(subject, { callback }));
    }
    return token;
  };

  const expect = (commandId: string): Deferred.Deferred<CommandReply> => {
    const deferred = Deferred.makeUnsafe<CommandReply>();
    const together = waiting.get(commandId) ?? new Set();
    waiting.set(commandId, together.add(deferred));
    return deferred;
  };

  const forget = (commandId: string, deferred: Deferred.Deferred<CommandReply>): void => {
    const together = waiting.get(commandId);
    together?.delete(deferred);
    if (together?.size === 0) waiting.delete(commandId);
  };

  /** Publishes, waits, publishes again while no answer comes. */
  const awaitAnswer = (
    awaited: AwaitedAnswer,
    publish: (repeat: boolean) => Effect.Effect<void, NotAccepted>,
  ): Effect.Effect<CommandReply, NotAccepted | AnswerTimeout> =>
    Effect.suspend(() => {
      const { commandId, merchant, paymentId } = awaited;
      const answer = expect(commandId);
      const attempts = Effect.gen(function* () {
        yield* publish(false);
        for (let patience = awaited.patienceMillis; ; patience *= 2) {
          const reply = yield* Effect.timeoutOption(Deferred.await(answer), patience);
          if (Option.isSome(reply)) return reply.value;
          yield* publish(true);
        }
      });
      return attempts.pipe(
        Effect.timeoutOrElse({
          duration: awaited.timeoutMillis,
          orElse: () => Effect.fail(new AnswerTimeout({ merchant, paymentId })),
        }),
        Effect.ensuring(Effect.sync(() => forget(commandId, answer))),
      );
    });

  return { tokenFor, await: awaitAnswer };
});
