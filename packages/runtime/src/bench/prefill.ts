/**
 * A log of so many payments, written quickly: by the runtime's own steps and its own group commit, so that every commit is
 * as production writes it (bodies, headers, hash chain) and any replay takes it; only queue, gateway and answers are left out.
 */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { canonicalHash } from "@aegispay/core/identity/canonical";
import { derivePaymentId, type PaymentRef } from "@aegispay/core/identity/Identity";
import type { CreateBody } from "@aegispay/core/payment/CreateBody";
import { defaultPolicy, type Given } from "@aegispay/core/payment/Given";
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { Clock, Data, Effect, Layer } from "effect";
import { commitDecision } from "../actor/commitDecision.ts";
import { defaultSettings, Settings } from "../config/RuntimeSettings.ts";
import { layerNatsEventLog } from "../log/NatsEventLog.ts";
import { emptyPosition } from "../log/replay.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment, layerDeployment } from "../nats/NatsTopology.ts";
import { benchAmount, benchMerchant, benchRoot } from "./settings.ts";

export class PrefillRefused extends Data.TaggedError("PrefillRefused")<{ readonly payment: PaymentRef }> {
  override get message(): string {
    return `the log did not take payment ${this.payment.paymentId}: another of that id is there`;
  }
}

/** Payments written at once: enough for the writer to fill its batches. */
const lanes = 4_000;
const batchMaxCommits = 1_000;
const batchesInFlight = 4;

const body: CreateBody = { amount: benchAmount, method: { type: "card", token: "tok_visa" } };
const bodyHash = canonicalHash(body);

/** The runtime's event log, with batches as large as the server takes. */
export const layerBenchLog = layerNatsEventLog.pipe(
  Layer.provideMerge(layerDeployment(benchRoot)),
  Layer.provideMerge(
    Layer.succeed(Settings, { ...defaultSettings, root: benchRoot, batchMaxCommits, batchesInFlight }),
  ),
);

/**
 * An id as the client library derives it. Not a counter: the server keeps what subjects have in common only once, and a
 * million that differ in a few digits would weigh less than half of what real ones do.
 */
export const prefilledPayment = (n: number): PaymentRef => ({
  merchant: benchMerchant,
  paymentId: derivePaymentId(`prefilled ${n}`)!,
});

/** A payment that succeeded at once: two commits. */
const succeeded = (payment: PaymentRef, n: number, given: Given): ReadonlyArray<PaymentCommand> => {
  const commandId = `prefill-${String(n).padStart(14, "0")}`;
  const message = `${given.at}/${n + 1}`;
  const replyTo = { token: commandId, when: "completed" } as const;
  const gatewayTransactionId = `ch_ap_${bodyHash}`;
  const outcome = { _tag: "Approved", gatewayTransactionId, status: "succeeded", amount: benchAmount } as const;
  return [
    { type: "Create", payment, body, hash: bodyHash, commandId, message, replyTo, given },
    { type: "RecordOutcome", payment, attempt: 1, round: 0, outcome, given },
  ];
};

/** A payment whose outcome nobody could tell for long: as many commits as are asked for, each look-up one. */
const longUnknown = (payment: PaymentRef, n: number, given: Given, commits: number): ReadonlyArray<PaymentCommand> => {
  const outcome = { _tag: "Unknown", reason: "no answer in time" } as const;
  const about = { payment, attempt: 1, outcome };
  const lookUps = Array.from({ length: commits - 2 }, (_, index) => {
    // Each a day later: later than any step of the schedule waits.
    const later = { ...given, at: given.at + (index + 1) * 86_400_000 };
    return { type: "RecordLookUp", ...about, round: index + 1, given: later } as const;
  });
  return [succeeded(payment, n, given)[0]!, { type: "RecordOutcome", ...about, round: 0, given }, ...lookUps];
};

export interface Prefill {
  /** Payments are numbered from here on. */
  readonly from: number;
  readonly payments: number;
  /** Of each payment; two is one that succeeded at once. Default two. */
  readonly commitsEach?: number;
}

/** Writes the payments; needs an empty place for each. */
export const prefill = Effect.fnUntraced(function* ({ from, payments, commitsEach = 2 }: Prefill) {
  const { deployment } = yield* Deployment;
  const addresses = makeAddressBook(benchRoot);
  const at = yield* Clock.currentTimeMillis;
  const candidates = [{ gateway: "instant", account: "default", keyRetentionMillis: 86_400_000 }];
  const given: Given = { at, deployment, candidates, policy: defaultPolicy, jitter: 0 };
  const write = Effect.fnUntraced(function* (n: number) {
    const payment = prefilledPayment(n);
    const commands = commitsEach === 2 ? succeeded(payment, n, given) : longUnknown(payment, n, given, commitsEach);
    let position = emptyPosition(addresses, payment);
    for (const command of commands) {
      const step = yield* commitDecision(addresses, payment, position, command, () => true);
      if (!step.committed) return yield* new PrefillRefused({ payment });
      position = step.position;
    }
  });
  let next = from;
  const lane = Effect.gen(function* () {
    for (let n = next++; n < from + payments; n = next++) yield* write(n);
  });
  yield* Effect.all(
    Array.from({ length: Math.min(lanes, payments) }, () => lane),
    { concurrency: "unbounded", discard: true },
  );
});

/** Bytes of the log on disk, of which each message has its headers too. */
export const logBytes = Effect.gen(function* () {
  const { manager } = yield* Nats;
  const { events } = makeAddressBook(benchRoot).streams;
  const { state } = yield* natsRequest("reading the event stream", () => manager.streams.info(events));
  return state.bytes;
});
