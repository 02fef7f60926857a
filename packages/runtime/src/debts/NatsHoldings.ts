/** What holds the payments' debts: what waits in the work queues and among the timers, and what is parked. */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Effect, Stream } from "effect";
import { mayHoldDebt } from "../dead/DeadEntry.ts";
import { scanDead } from "../dead/NatsDeadStore.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { shardOf } from "../shard/shardOf.ts";
import { isCreateTimer, isWebhookTimer } from "../timers/Timers.ts";
import type { Holding } from "./Debts.ts";
import { listSubjects } from "./NatsSubjects.ts";

type See = (payment: PaymentRef, holding: Holding) => void;

/** Reads `payments.timer.<merchant>.<payment>.<kind>.<version>`. */
const parseTimer = (addresses: AddressBook, subject: string) => {
  const [root, what, merchant, paymentId, kind, version, ...rest] = subject.split(".");
  if (root !== addresses.root || what !== "timer" || version === undefined || rest.length > 0) return undefined;
  // That of a webhook brings a payment back for what a gateway says, that of a create begins one: neither holds a debt.
  if (isWebhookTimer(kind!) || isCreateTimer(kind!)) return undefined;
  return { payment: { merchant: merchant!, paymentId: paymentId! }, kind: kind!, version: Number(version) };
};

/** One subject of a work queue, or of the stream of timers. */
const seeSubject = (addresses: AddressBook, see: See) => (subject: string) => {
  const delivery = addresses.parseDelivery(subject);
  if (delivery !== undefined) return see(delivery.payment, { by: delivery.source });
  const timer = parseTimer(addresses, subject);
  if (timer !== undefined) see(timer.payment, { by: "timer", version: timer.version, kind: timer.kind });
};

/** A refused command that was parked holds nothing, so the entries are read and not only their subjects. */
const seeParked = (payment: Partial<PaymentRef>, see: See) =>
  scanDead(payment).pipe(
    Stream.runForEach(({ entry }) =>
      Effect.sync(() => {
        if (mayHoldDebt(entry)) see(entry.letter.payment, { by: "parked" });
      }),
    ),
  );

/** Of all payments. Armed timers and due ones are listed together: a timer that fires meanwhile is in the list. */
export const listHoldings = Effect.fnUntraced(function* (see: See) {
  const { addresses } = yield* Deployment;
  const { commands, timers } = addresses.streams;
  yield* listSubjects(commands, ">", seeSubject(addresses, see));
  yield* listSubjects(timers, ">", seeSubject(addresses, see));
  yield* seeParked({}, see);
});

/**
 * Of one payment, in the order in which a debt goes from one to the next, so that one that moves meanwhile is met further
 * on: parked entries that are put back, commands, due timers that get the open round its timer, timers, timers that fire
 * meanwhile, what is parked meanwhile.
 */
export const holdingsOf = Effect.fnUntraced(function* (payment: PaymentRef) {
  const { addresses, shards } = yield* Deployment;
  const { streams, patterns, shardSubject } = addresses;
  const found: Array<Holding> = [];
  const see: See = (_, holding) => void found.push(holding);
  const shard = shardOf(payment, shards);
  const { merchant, paymentId } = payment;
  const ofPayment = (subject: string) => subject.replace(/>$/, `${merchant}.${paymentId}.>`);
  const dues = ofPayment(shardSubject("due", shard));
  const timers = patterns.timers.replace("*.*", `${merchant}.${paymentId}`);
  yield* seeParked(payment, see);
  yield* listSubjects(streams.commands, ofPayment(shardSubject("command", shard)), seeSubject(addresses, see));
  yield* listSubjects(streams.commands, ofPayment(shardSubject("internal", shard)), seeSubject(addresses, see));
  for (const filter of [dues, timers, dues]) {
    yield* listSubjects(streams.timers, filter, seeSubject(addresses, see));
  }
  if (found.length === 0) yield* seeParked(payment, see);
  return found;
});
