/** The simulator's own ledger, the judge of every test, and its faults. */

export interface LedgerCharge {
  readonly id: string;
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly captured: number;
  readonly refunded: number;
  /** What voids gave back to the customer's limit. */
  readonly released: number;
  /** What banks took back of refunds. */
  readonly reversed: number;
  readonly idempotencyKeys: ReadonlyArray<string>;
  readonly requests: number;
  readonly operations: ReadonlyArray<{
    readonly key: string;
    readonly kind: "capture" | "void" | "refund";
    readonly amount: number;
    readonly status: "succeeded" | "failed" | "reversed";
    readonly requests: number;
  }>;
}

export const readLedger = async (simulator: string): Promise<ReadonlyArray<LedgerCharge>> => {
  const response = await fetch(`${simulator}/admin/ledger`);
  return ((await response.json()) as { readonly charges: ReadonlyArray<LedgerCharge> }).charges;
};

/** Charges that took money, of one payment. */
export const takenFor = async (simulator: string, reference: string): Promise<ReadonlyArray<LedgerCharge>> =>
  (await readLedger(simulator)).filter((charge) => charge.reference === reference && charge.captured > 0);

export const orderFaults = async (simulator: string, faults: Readonly<Record<string, unknown>>): Promise<void> => {
  const response = await fetch(`${simulator}/admin/faults`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(faults),
  });
  if (!response.ok) throw new Error(`faults refused: ${await response.text()}`);
};

export const clearFaults = async (simulator: string): Promise<void> => {
  await fetch(`${simulator}/admin/faults`, { method: "DELETE" });
};
