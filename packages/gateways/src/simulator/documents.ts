/** Charges and operations as the API shows them. */
import { createHash } from "node:crypto";
import { type Charge, type Operation, standingDecline } from "./Charge.ts";

const shortHash = (key: string): string => createHash("sha256").update(key).digest("hex").slice(0, 24);

/** One key makes one charge, so the key's hash names it; the same for operations. */
export const chargeIdOf = (key: string): string => `ch_${shortHash(key)}`;
export const operationIdOf = (key: string): string => `op_${shortHash(key)}`;

/** Where the customer of a charge completes or fails 3-D Secure: a page of the simulator itself. */
const challengePath = (chargeId: string): string => `/3ds/${chargeId}`;

export const operationDocument = ({ id, currency }: Charge, operation: Operation) => ({
  id: operationIdOf(operation.key),
  charge: id,
  key: operation.key,
  kind: operation.kind,
  amount: operation.amount,
  currency: operation.currency ?? currency,
  status: operation.status,
  ...(operation.error === undefined ? {} : { error: operation.error }),
});

/** `url`: where this simulator listens. */
export const chargeDocument = (charge: Charge, url: string) => {
  const decline = standingDecline(charge);
  return {
    id: charge.id,
    status: charge.status,
    reference: charge.reference,
    amount: charge.amount,
    currency: charge.currency,
    capture: charge.capture,
    captured: charge.captured,
    refunded: charge.refunded,
    idempotencyKey: charge.key,
    operations: charge.operations.map((operation) => operationDocument(charge, operation)),
    ...(decline === undefined ? {} : { error: decline }),
    ...(charge.status === "requires_action"
      ? { nextAction: { type: "redirect", url: `${url}${challengePath(charge.id)}` } }
      : {}),
  };
};
