/** Publishing a command until it is accepted: acknowledged by JetStream, and not merely as a duplicate. */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import type { ReplyTo } from "@aegispay/core/payment/PaymentEvent";
import { headers } from "@nats-io/nats-core";
import { Effect, Schedule } from "effect";
import type { Nats } from "../nats/NatsConnection.ts";
import { NotAccepted } from "./ClientErrors.ts";
import type { OutgoingCommand } from "./outgoingCommand.ts";
import type { Queries } from "./queries.ts";

/** A publish that got no acknowledgement is sent again this often, with growing pauses. */
const publishRetries = 5;

export const makePublisher = ({ jetstream }: Nats["Service"], addresses: AddressBook, queries: Queries) => {
  const send = (command: OutgoingCommand, replyTo: ReplyTo | undefined, deduplicated: boolean) =>
    Effect.tryPromise({
      try: () => {
        const sent = headers();
        sent.set("Aegis-Command-Id", command.commandId);
        if (replyTo !== undefined) {
          sent.set("Aegis-Reply-To", replyTo.token);
          sent.set("Aegis-Reply-When", replyTo.when);
        }
        if (command.traceparent !== undefined) sent.set("traceparent", command.traceparent);
        const subjectOf = command.from === "operator" ? addresses.internal : addresses.command;
        return jetstream.publish(subjectOf(command.payment, command.verb), command.body, {
          headers: sent,
          ...(deduplicated && command.messageId !== undefined ? { msgID: command.messageId } : {}),
        });
      },
      catch: (cause) => new NotAccepted({ cause, identity: command.identity }),
    }).pipe(Effect.retry({ times: publishRetries, schedule: Schedule.exponential(100) }));

  /** `duplicate: true` proves nothing: only a payment that remembers the command does. */
  const isRemembered = (command: OutgoingCommand) =>
    queries.get(command.payment, { commandId: command.commandId }).pipe(
      Effect.map((reply) => reply.remembered === true),
      Effect.catch(() => Effect.succeed(false)),
    );

  return {
    /** For whoever waits for nobody: done when the command is accepted. */
    submit: Effect.fnUntraced(function* (command: OutgoingCommand) {
      const ack = yield* send(command, undefined, true);
      if (ack.duplicate && !(yield* isRemembered(command))) yield* send(command, undefined, false);
    }),
    /** For whoever waits: a duplicate would be answered under another's token, so it is published again at once. */
    publish: Effect.fnUntraced(function* (command: OutgoingCommand, replyTo: ReplyTo, repeat: boolean) {
      const ack = yield* send(command, replyTo, !repeat);
      if (ack.duplicate) yield* send(command, replyTo, false);
    }),
  };
};
