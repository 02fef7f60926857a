/**
 * Walks the event stream with a plain NATS client and holds it against the gateway's ledger. One checker a property; each
 * violation is a sentence that names the payment.
 */
import { hash } from "node:crypto";
import { decodeCommit, type Commit } from "@aegispay/core/payment/Commit";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { absent, isAtRest, type PaymentState } from "@aegispay/core/payment/PaymentState";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { jetstream } from "@nats-io/jetstream";
import { Option } from "effect";
import type { NatsConnection } from "@nats-io/transport-node";
import { readLedger, type LedgerCharge } from "./ledger.ts";

export interface AuditedPayment {
  readonly reference: string;
  readonly commits: ReadonlyArray<Commit>;
  readonly events: ReadonlyArray<PaymentEvent>;
  readonly state: PaymentState;
}

export interface Audit {
  readonly payments: ReadonlyMap<string, AuditedPayment>;
  readonly charges: ReadonlyArray<LedgerCharge>;
  readonly violations: ReadonlyArray<string>;
}

interface StoredMessage {
  readonly subject: string;
  readonly body: string;
}

const readStream = async (connection: NatsConnection): Promise<ReadonlyArray<StoredMessage>> => {
  const consumer = await jetstream(connection).consumers.get("PAYMENTS_EVENTS", {
    filter_subjects: ["payments.event.>"],
  });
  const { num_pending: pending } = await consumer.info();
  const stored: Array<StoredMessage> = [];
  if (pending === 0) return stored;
  const messages = await consumer.consume();
  for await (const message of messages) {
    stored.push({ subject: message.subject, body: message.string() });
    if (stored.length >= pending) break;
  }
  await messages.close();
  return stored;
};

/** Criterion 14, and the hash chain: legal path, contiguous from version 1, nothing missing. */
const readHistory = (subject: string, bodies: ReadonlyArray<string>, violations: Array<string>): AuditedPayment => {
  const reference = subject.split(".").slice(2).join("/");
  const commits: Array<Commit> = [];
  let state: PaymentState = absent;
  let prev = hash("sha256", subject, "hex");
  for (const body of bodies) {
    const commit = Option.getOrUndefined(decodeCommit(body));
    if (commit === undefined) {
      violations.push(`${reference}: a message of the log is no commit`);
      break;
    }
    if (commit.prev !== prev) violations.push(`${reference}: the hash chain is broken at version ${state.version}`);
    const next: PaymentState | undefined = evolveAll(state, commit.events);
    if (next === undefined || next.name !== commit.state) {
      violations.push(`${reference}: no legal step after version ${state.version} (${state.name})`);
      break;
    }
    commits.push(commit);
    state = next;
    prev = hash("sha256", body, "hex");
  }
  return { reference, commits, events: commits.flatMap((commit) => commit.events), state };
};

const keysOf = (payment: AuditedPayment): ReadonlySet<string> =>
  new Set(payment.events.flatMap((event) => (event.type === "AttemptStarted" ? [event.data.idempotencyKey] : [])));

/** Criteria 11, 12 and 15 for one payment. */
const checkAgainstLedger = (payment: AuditedPayment, charges: ReadonlyArray<LedgerCharge>): ReadonlyArray<string> => {
  const { reference, state } = payment;
  const taken = charges.filter((charge) => charge.captured > 0);
  const violations: Array<string> = [];
  const announced = keysOf(payment);
  for (const charge of charges) {
    const unannounced = charge.idempotencyKeys.filter((key) => !announced.has(key));
    if (unannounced.length > 0)
      violations.push(`${reference}: a call left that no AttemptStarted announced (criterion 15)`);
  }
  if (taken.length > 1) violations.push(`${reference}: charged ${taken.length} times (criterion 11)`);
  if (state.name === "SUCCESS") {
    const { amount } = state.attempt.request;
    const matching = taken.filter((charge) => charge.captured === amount.value && charge.currency === amount.currency);
    if (matching.length !== 1) violations.push(`${reference}: SUCCESS without its one charge (criterion 12)`);
  } else if (taken.length > 0) {
    violations.push(`${reference}: charged, but ${state.name} (criterion 12)`);
  }
  return violations;
};

/** Reads everything there is. Call it when the payments are at rest: what is under way is a violation too. */
export const auditEverything = async (connection: NatsConnection, simulator: string): Promise<Audit> => {
  const violations: Array<string> = [];
  const bySubject = new Map<string, Array<string>>();
  for (const { subject, body } of await readStream(connection)) {
    const bodies = bySubject.get(subject) ?? [];
    bySubject.set(subject, bodies);
    bodies.push(body);
  }
  const charges = await readLedger(simulator);
  const chargesOf = new Map<string, Array<LedgerCharge>>();
  for (const charge of charges) {
    const known = chargesOf.get(charge.reference) ?? [];
    chargesOf.set(charge.reference, known);
    known.push(charge);
  }
  const payments = new Map<string, AuditedPayment>();
  for (const [subject, bodies] of bySubject) {
    const payment = readHistory(subject, bodies, violations);
    payments.set(payment.reference, payment);
    if (!isAtRest(payment.state)) violations.push(`${payment.reference}: still ${payment.state.name}`);
    violations.push(...checkAgainstLedger(payment, chargesOf.get(payment.reference) ?? []));
  }
  for (const reference of chargesOf.keys()) {
    if (!payments.has(reference)) violations.push(`${reference}: charged, but it has no log (criterion 12)`);
  }
  return { payments, charges, violations };
};
