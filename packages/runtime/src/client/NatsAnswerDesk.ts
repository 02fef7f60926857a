/**
 * Where the answer to one command arrives: a token and a subscription of its own for each, because a command id is the
 * caller's choice and two payments may use the same.
 */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import { CommandReply } from "@aegispay/core/payment/Reply";
import type { Msg } from "@nats-io/nats-core";
import { Deferred, Effect, Option, Schema, type Scope } from "effect";
import type { Nats } from "../nats/NatsConnection.ts";
import { AnswerTimeout, type NotAccepted } from "./ClientErrors.ts";

const decodeReply = Schema.decodeUnknownOption(Schema.fromJsonString(CommandReply));

export interface AwaitedAnswer {
  readonly merchant: string;
  readonly paymentId: string;
  /** What makes it the same command when it is sent again. */
  readonly identity: string;
  readonly timeoutMillis: number;
  /** How long the first publish is given before it is repeated; doubles each time. */
  readonly patienceMillis: number;
}

export const makeAnswerDesk = ({ connection, newId }: Nats["Service"], addresses: AddressBook) => {
  /** Listens under a fresh token until the scope closes. */
  const listen = Effect.fnUntraced(function* (merchant: string) {
    const token = newId();
    const answer = yield* Deferred.make<CommandReply>();
    const onAnswer = (error: Error | null, message: Msg): void => {
      const reply = error === null ? Option.getOrUndefined(decodeReply(message.string())) : undefined;
      if (reply !== undefined) Deferred.doneUnsafe(answer, Effect.succeed(reply));
    };
    yield* Effect.acquireRelease(
      Effect.sync(() => connection.subscribe(addresses.reply(merchant, token), { callback: onAnswer })),
      (subscription) => Effect.sync(() => subscription.unsubscribe()),
    );
    return { token, answer };
  });

  const attempts = Effect.fnUntraced(function* (
    awaited: AwaitedAnswer,
    publish: (token: string, repeat: boolean) => Effect.Effect<void, NotAccepted>,
  ): Effect.fn.Return<CommandReply, NotAccepted, Scope.Scope> {
    const { token, answer } = yield* listen(awaited.merchant);
    yield* publish(token, false);
    for (let patience = awaited.patienceMillis; ; patience *= 2) {
      const reply = yield* Effect.timeoutOption(Deferred.await(answer), patience);
      if (Option.isSome(reply)) return reply.value;
      yield* publish(token, true);
    }
  });

  return {
    /** Publishes, waits, publishes again while no answer comes. */
    await: (
      awaited: AwaitedAnswer,
      publish: (token: string, repeat: boolean) => Effect.Effect<void, NotAccepted>,
    ): Effect.Effect<CommandReply, NotAccepted | AnswerTimeout> =>
      Effect.scoped(attempts(awaited, publish)).pipe(
        Effect.timeoutOrElse({
          duration: awaited.timeoutMillis,
          orElse: () => {
            const { merchant, paymentId, identity } = awaited;
            return Effect.fail(new AnswerTimeout({ merchant, paymentId, identity }));
          },
        }),
      ),
  };
};
