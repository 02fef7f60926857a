/**
 * The client of services: publishes commands durably, waits for answers, asks for payments, follows their logs. All it
 * needs is NATS and the subject root; it never talks to a node directly.
 *
 * What it promises: `submit` succeeds only when the command is durably accepted; whatever it is told or not told, a call
 * that is repeated with the same payment id (a create) or the same command id (all that follows) has one effect.
 */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import type { PaymentView } from "@aegispay/core/payment/PaymentView";
import type { CommandReply } from "@aegispay/core/payment/Reply";
import { Context, Effect, Layer, type Stream } from "effect";
import { layerNats, Nats, type NatsAddress } from "../nats/NatsConnection.ts";
import { makeAnswerDesk } from "./NatsAnswerDesk.ts";
import type {
  AnswerTimeout,
  CommandRefusedLocally,
  NotAccepted,
  QueryRefused,
  QueryUnanswered,
} from "./ClientErrors.ts";
import {
  prepareCommand,
  prepareResolve,
  type CommandOrder,
  type OutgoingCommand,
  type ResolveOrder,
} from "./outgoingCommand.ts";
import { makePaymentLog } from "./paymentLog.ts";
import { makePublisher } from "./NatsPublisher.ts";
import { makeQueries } from "./queries.ts";

export type { CommandOrder, CreateOrder, ResolveOrder } from "./outgoingCommand.ts";
export { AnswerTimeout, CommandRefusedLocally, NotAccepted, QueryRefused, QueryUnanswered } from "./ClientErrors.ts";

export interface ExecuteOptions {
  /** Whole time to wait, in milliseconds; default 60 s. */
  readonly timeoutMillis?: number;
  /** `accepted`: answered when the first commit is durable; `completed` (default): when the payment is at rest. */
  readonly when?: "accepted" | "completed";
}

/** Before a command that got no answer is published again, in milliseconds; doubles each time. */
const firstPatienceMillis = 5_000;

export class AegisClient extends Context.Service<
  AegisClient,
  {
    /** A random identity, for whoever keeps it before the command is sent. */
    readonly newCommandId: () => string;
    /** Durable, fire and forget: done when the command is accepted. */
    readonly submit: (
      order: CommandOrder,
    ) => Effect.Effect<
      { readonly payment: PaymentRef; readonly commandId: string },
      CommandRefusedLocally | NotAccepted
    >;
    /** Submits and waits for the answer; publishes again, with the same command id, when none comes. */
    readonly execute: (
      order: CommandOrder,
      options?: ExecuteOptions,
    ) => Effect.Effect<CommandReply, CommandRefusedLocally | NotAccepted | AnswerTimeout>;
    /** For operators: what they found out about a payment that needs review. */
    readonly resolve: (
      order: ResolveOrder,
      options?: ExecuteOptions,
    ) => Effect.Effect<CommandReply, CommandRefusedLocally | NotAccepted | AnswerTimeout>;
    readonly get: (
      payment: PaymentRef,
      options?: { readonly minVersion?: number },
    ) => Effect.Effect<PaymentView, QueryRefused | QueryUnanswered>;
    /** The payment's events from a version on (default 1); with `follow`, also those still to come, without a gap. */
    readonly events: (
      payment: PaymentRef,
      options?: { readonly from?: number; readonly follow?: boolean },
    ) => Stream.Stream<PaymentEvent, QueryRefused | QueryUnanswered>;
  }
>()("@aegispay/runtime/AegisClient") {}

const make = (root: string) =>
  Effect.gen(function* () {
    const nats = yield* Nats;
    const addresses = makeAddressBook(root);
    const queries = makeQueries(nats, addresses);
    const publisher = makePublisher(nats, addresses, queries);
    const desk = makeAnswerDesk(nats, addresses);
    const log = makePaymentLog(nats, addresses, queries);
    const newCommandId = nats.newId;

    const answered = (
      prepared: Effect.Effect<OutgoingCommand, CommandRefusedLocally>,
      { timeoutMillis = 60_000, when = "completed" }: ExecuteOptions = {},
    ) =>
      Effect.gen(function* () {
        const command = yield* prepared;
        const { payment, identity } = command;
        const awaited = { ...payment, identity, timeoutMillis, patienceMillis: firstPatienceMillis };
        return yield* desk.await(awaited, (token, repeat) => publisher.publish(command, { token, when }, repeat));
      });

    return AegisClient.of({
      newCommandId,
      submit: Effect.fnUntraced(function* (order) {
        const command = yield* prepareCommand(order, newCommandId);
        yield* publisher.submit(command);
        return { payment: command.payment, commandId: command.commandId };
      }),
      execute: (order, options) => answered(prepareCommand(order, newCommandId), options),
      resolve: (order, options) => answered(prepareResolve(order, newCommandId), options),
      get: (payment, options) => Effect.map(queries.get(payment, { ...options }), ({ payment: view }) => view),
      events: log.events,
    });
  });

/** A client on a connection of its own. */
export const layerAegisClient = (address: NatsAddress, root = "payments") =>
  Layer.effect(AegisClient, make(root)).pipe(Layer.provide(layerNats(address)));

/** A client on the connection that is there. */
export const layerAegisClientOnNats = (root: string) => Layer.effect(AegisClient, make(root));
