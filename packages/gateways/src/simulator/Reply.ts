/** What the simulator answers, before it is put into HTTP. */
import { type Charge, type Operation, standingDecline } from "./Charge.ts";
import { chargeDocument } from "./documents.ts";

export type Reply =
  | { readonly dropped: true }
  | { readonly status: number; readonly document: unknown; readonly replayed?: boolean };

export const dropped: Reply = { dropped: true };

export const refusal = (status: number, code: string, message: string): Reply => ({
  status,
  document: { error: { code, message } },
});

export const noSuchCharge = refusal(404, "charge_not_found", "no such charge");

export interface Replies {
  /** 402 where it is declined. */
  readonly charge: (charge: Charge, replayed: boolean) => Reply;
  /** `after`: the charge once the operation was done; 402 where it failed. */
  readonly operation: (after: Charge, operation: Operation, replayed: boolean) => Reply;
  /** The charge as it is, whatever it is. */
  readonly found: (charge: Charge) => Reply;
  readonly listed: (charges: ReadonlyArray<Charge>) => Reply;
}

/** `url`: where the simulator listens; the customers of its charges are sent there. */
export const repliesFrom = (url: string): Replies => ({
  charge: (charge, replayed) => {
    const decline = standingDecline(charge);
    return decline === undefined
      ? { status: 200, document: chargeDocument(charge, url), replayed }
      : { status: 402, document: { error: { ...decline, charge: charge.id } }, replayed };
  },
  operation: (after, { error }, replayed) =>
    error === undefined
      ? { status: 200, document: chargeDocument(after, url), replayed }
      : { status: 402, document: { error: { ...error, charge: after.id } }, replayed },
  found: (charge) => ({ status: 200, document: chargeDocument(charge, url) }),
  listed: (charges) => ({ status: 200, document: { charges: charges.map((charge) => chargeDocument(charge, url)) } }),
});
