/**
 * The simulator's ledger in memory: the fold of its records, live and when the journal is read at start.
 *
 * 1. Nothing but `apply` changes it, and `apply` gets every record once, in the journal's order.
 * 2. A key belongs to one charge or one operation for ever.
 * 3. What is delayed has moved nothing; its key is in flight until the charge or operation is recorded.
 */
import { Schema } from "effect";
import { Charge, ChargeRequest, Operation } from "./Charge.ts";
import { ChargeChange, changeCharge } from "./ChargeChange.ts";
import { afterOperation, OperationRequest } from "./ChargeOperation.ts";

/** A request that was received and whose turn has not come. */
const Delayed = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("charge"), key: Schema.String, request: ChargeRequest }),
  Schema.Struct({ kind: Schema.Literal("operation"), chargeId: Schema.String, request: OperationRequest }),
]);
export type Delayed = typeof Delayed.Type;

/** One line of the journal. A `request` that names a key asked to make or change a charge and was not turned away. */
export const LedgerRecord = Schema.Union([
  Schema.Struct({ type: Schema.Literal("request"), key: Schema.optionalKey(Schema.String) }),
  Schema.Struct({ type: Schema.Literal("charge"), charge: Charge }),
  Schema.Struct({ type: Schema.Literal("operation"), chargeId: Schema.String, operation: Operation }),
  Schema.Struct({ type: Schema.Literal("change"), chargeId: Schema.String, change: ChargeChange }),
  Schema.Struct({ type: Schema.Literal("delayed"), delayed: Delayed }),
]);
export type LedgerRecord = typeof LedgerRecord.Type;

interface LedgerEntry {
  /** As it was first recorded: what a repeat of its key is answered. */
  readonly first: Charge;
  readonly now: Charge;
}

type KeyOwner =
  | { readonly kind: "charge"; readonly entry: LedgerEntry }
  /** `after`: the charge when the operation had just been done, which is what a repeat of its key is answered. */
  | { readonly kind: "operation"; readonly entry: LedgerEntry; readonly operation: Operation; readonly after: Charge };

export const delayedKey = (delayed: Delayed): string => (delayed.kind === "charge" ? delayed.key : delayed.request.key);

const sumOf = (charge: Charge, isMeant: (operation: Operation) => boolean): number =>
  charge.operations.filter(isMeant).reduce((sum, { amount }) => sum + amount, 0);

export class Ledger {
  private requests = 0;
  private readonly requestsByKey = new Map<string, number>();
  private readonly entries = new Map<string, LedgerEntry>();
  private readonly idsByReference = new Map<string, Array<string>>();
  private readonly owners = new Map<string, { readonly chargeId: string; readonly after?: Charge }>();
  private readonly delayed = new Map<string, Delayed>();

  apply(record: LedgerRecord): void {
    switch (record.type) {
      case "request": {
        this.requests += 1;
        if (record.key !== undefined) this.requestsByKey.set(record.key, this.requestsOf(record.key) + 1);
        return;
      }
      case "charge": {
        const { charge } = record;
        this.delayed.delete(charge.key);
        this.entries.set(charge.id, { first: charge, now: charge });
        this.owners.set(charge.key, { chargeId: charge.id });
        const ids = this.idsByReference.get(charge.reference);
        if (ids === undefined) this.idsByReference.set(charge.reference, [charge.id]);
        else ids.push(charge.id);
        return;
      }
      case "operation": {
        const { chargeId, operation } = record;
        const { first, now } = this.entryOf(chargeId);
        const after = afterOperation(now, operation);
        this.delayed.delete(operation.key);
        this.entries.set(chargeId, { first, now: after });
        this.owners.set(operation.key, { chargeId, after });
        return;
      }
      case "change": {
        const { chargeId, change } = record;
        const { first, now } = this.entryOf(chargeId);
        const changed = changeCharge(now, change);
        if ("refused" in changed) throw new Error(changed.refused);
        this.entries.set(chargeId, { first, now: changed.charge });
        return;
      }
      case "delayed":
        this.delayed.set(delayedKey(record.delayed), record.delayed);
    }
  }

  private entryOf(chargeId: string): LedgerEntry {
    const entry = this.entries.get(chargeId);
    if (entry === undefined) throw new Error(`the charge ${chargeId} is not there`);
    return entry;
  }

  byId(id: string): LedgerEntry | undefined {
    return this.entries.get(id);
  }

  byReference(reference: string): ReadonlyArray<LedgerEntry> {
    return (this.idsByReference.get(reference) ?? []).map((id) => this.entries.get(id)!);
  }

  ownerOf(key: string): KeyOwner | undefined {
    const owner = this.owners.get(key);
    if (owner === undefined) return undefined;
    const entry = this.entries.get(owner.chargeId)!;
    const operation = entry.now.operations.find((one) => one.key === key);
    return owner.after === undefined || operation === undefined
      ? { kind: "charge", entry }
      : { kind: "operation", entry, operation, after: owner.after };
  }

  delayedOf(key: string): Delayed | undefined {
    return this.delayed.get(key);
  }

  /** How many requests came with this key so far. */
  requestsOf(key: string): number {
    return this.requestsByKey.get(key) ?? 0;
  }

  /**
   * `GET /admin/ledger`. `requests` of a charge or an operation: those with its key, repeats and those told to wait
   * included; in all: every request to /v1, look-ups, refused and dropped ones included. `released`: what voids gave
   * back to the customer's limit. `delayed`: keys in flight until they are finished.
   */
  report() {
    const charges = Array.from(this.entries.values(), ({ now }) => ({
      id: now.id,
      reference: now.reference,
      amount: now.amount,
      currency: now.currency,
      capture: now.capture,
      status: now.status,
      captured: now.captured,
      refunded: now.refunded,
      released: sumOf(now, ({ kind, status }) => kind === "void" && status === "succeeded"),
      reversed: sumOf(now, ({ status }) => status === "reversed"),
      idempotencyKeys: [now.key],
      requests: this.requestsOf(now.key),
      operations: now.operations.map(({ key, kind, amount, status }) => ({
        key,
        kind,
        amount,
        status,
        requests: this.requestsOf(key),
      })),
    }));
    return { charges, delayed: [...this.delayed.keys()], requests: this.requests };
  }
}
