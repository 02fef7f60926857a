/**
 * Walks the event stream with a plain NATS client and holds it against the gateway's ledger. One checker a property; each
 * violation is a sentence that names the payment.
 */
import { hash } from "node:crypto";
import { decodeCommit, type Commit } from "@aegispay/core/payment/Commit";
import { evolveAll } from "@aegispay/core/payment/evolve";
import * as money from "@aegispay/core/payment/reservations";
import { absent, behindReview, isAtRest, isHeld, type PaymentState } from "@aegispay/core/payment/PaymentState";
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

/** The reservations hold in every state that was ever committed. */
const checkReservations = (state: PaymentState): string | undefined => {
  if (state.name === "ABSENT") return undefined;
  if (money.capturable(state) < 0) return "more was captured, or was being captured, than was authorized";
  return money.refundable(state) < 0 ? "more was given back, or was being given back, than was captured" : undefined;
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
    const overdrawn = checkReservations(next);
    if (overdrawn !== undefined) violations.push(`${reference}: at version ${next.version} ${overdrawn}`);
    commits.push(commit);
    state = next;
    prev = hash("sha256", body, "hex");
  }
  return { reference, commits, events: commits.flatMap((commit) => commit.events), state };
};

/** The keys under which anything was ever asked of a gateway. */
const keysOf = (payment: AuditedPayment): ReadonlySet<string> =>
  new Set(payment.events.flatMap(({ data }) => ("idempotencyKey" in data ? [data.idempotencyKey] : [])));

/** Criterion 15: whatever reached the gateway was announced. */
const checkAnnounced = (payment: AuditedPayment, charges: ReadonlyArray<LedgerCharge>): ReadonlyArray<string> => {
  const announced = keysOf(payment);
  const called = charges.flatMap(({ idempotencyKeys, operations }) => [
    ...idempotencyKeys,
    ...operations.map(({ key }) => key),
  ]);
  return called
    .filter((key) => !announced.has(key))
    .map((key) => `${payment.reference}: a call left under ${key}, which no event announced (criterion 15)`);
};

/** Nothing is held, and what was taken has been given back. */
const holdsNothing = ({ captured, refunded, status }: LedgerCharge): boolean =>
  captured === refunded && status !== "authorized" && status !== "partially_captured";

/** Criteria 11 and 12 for one payment, and conservation of money: what we say was taken and given back, was. */
const checkMoney = (
  { reference, state }: AuditedPayment,
  charges: ReadonlyArray<LedgerCharge>,
): ReadonlyArray<string> => {
  if (state.name === "ABSENT") return [];
  const violations: Array<string> = [];
  const shown = behindReview(state);
  const own = isHeld(shown)
    ? charges.find(({ idempotencyKeys: [key] }) => key === shown.attempt.idempotencyKey)
    : undefined;
  const others = charges.filter((charge) => charge !== own && !holdsNothing(charge));
  if (others.length > 0) {
    const kept = others.map(({ captured, refunded }) => captured - refunded).join(", ");
    violations.push(`${reference}: the gateway keeps ${kept} that the payment knows nothing of (criteria 11 and 12)`);
  }
  if (!isHeld(shown)) return violations;
  if (own === undefined) return [...violations, `${reference}: ${state.name} without its one charge (criterion 12)`];
  const ours = [
    shown.authorized,
    money.captured(state),
    money.refunded(state),
    shown.attempt.request.amount.currency,
  ].join(" ");
  const gateways = [own.amount, own.captured, own.refunded, own.currency].join(" ");
  return ours === gateways
    ? violations
    : [...violations, `${reference}: authorized, captured, refunded are ${ours} here, ${gateways} at the gateway`];
};

const checkAgainstLedger = (payment: AuditedPayment, charges: ReadonlyArray<LedgerCharge>): ReadonlyArray<string> => [
  ...checkAnnounced(payment, charges),
  ...checkMoney(payment, charges),
];

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
