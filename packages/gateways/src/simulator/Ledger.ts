/**
 * The simulator's ledger in memory: the fold of its records, live and when the journal is read at start.
 *
 * 1. Nothing but `apply` changes it, and `apply` gets every record once, in the journal's order.
 * 2. A key belongs to one charge or one operation for ever.
 */
import { Schema } from "effect";
import { afterOperation, Charge, Operation } from "./Charge.ts";

/** One line of the journal. A `request` that names a key asked to make or change a charge and was not turned away. */
export const LedgerRecord = Schema.Union([
  Schema.Struct({ type: Schema.Literal("request"), key: Schema.optionalKey(Schema.String) }),
  Schema.Struct({ type: Schema.Literal("charge"), charge: Charge }),
  Schema.Struct({ type: Schema.Literal("operation"), chargeId: Schema.String, operation: Operation }),
]);
export type LedgerRecord = typeof LedgerRecord.Type;

interface LedgerEntry {
  /** As it was first recorded: what a repeat of its key is answered. */
  readonly first: Charge;
  readonly now: Charge;
}

type KeyOwner =
  | { readonly kind: "charge"; readonly entry: LedgerEntry }
  | { readonly kind: "operation"; readonly entry: LedgerEntry; readonly operation: Operation };

export class Ledger {
  private requests = 0;
  private readonly requestsByKey = new Map<string, number>();
  private readonly entries = new Map<string, LedgerEntry>();
  private readonly idsByReference = new Map<string, Array<string>>();
  private readonly owners = new Map<string, { readonly chargeId: string; readonly operation?: Operation }>();

  apply(record: LedgerRecord): void {
    switch (record.type) {
      case "request": {
        this.requests += 1;
        if (record.key !== undefined) this.requestsByKey.set(record.key, this.requestsOf(record.key) + 1);
        return;
      }
      case "charge": {
        const { charge } = record;
        this.entries.set(charge.id, { first: charge, now: charge });
        this.owners.set(charge.key, { chargeId: charge.id });
        const ids = this.idsByReference.get(charge.reference);
        if (ids === undefined) this.idsByReference.set(charge.reference, [charge.id]);
        else ids.push(charge.id);
        return;
      }
      case "operation": {
        const { chargeId, operation } = record;
        const entry = this.entries.get(chargeId);
        if (entry === undefined) throw new Error(`an operation on the charge ${chargeId}, which is not there`);
        this.entries.set(chargeId, { first: entry.first, now: afterOperation(entry.now, operation) });
        this.owners.set(operation.key, { chargeId, operation });
      }
    }
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
    return owner.operation === undefined
      ? { kind: "charge", entry }
      : { kind: "operation", entry, operation: owner.operation };
  }

  /** How many requests came with this key so far. */
  requestsOf(key: string): number {
    return this.requestsByKey.get(key) ?? 0;
  }

  /**
   * `GET /admin/ledger`. `requests` of a charge: the requests to start it, repeats and those told to wait included; in
   * all: every request to /v1, look-ups, refused and dropped ones included.
   */
  report() {
    const charges = Array.from(this.entries.values(), ({ now }) => ({
      id: now.id,
      reference: now.reference,
      amount: now.amount,
      currency: now.currency,
      status: now.status,
      captured: now.captured,
      refunded: now.refunded,
      idempotencyKeys: [now.key],
      requests: this.requestsOf(now.key),
    }));
    return { charges, requests: this.requests };
  }
}
