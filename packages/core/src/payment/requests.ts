/** How a capture, a void or a refund is announced: with its own key, and letter for letter what will be sent (laws 1 and 3). */
import { gatewayIdempotencyKey, type PaymentRef } from "../identity/Identity.ts";
import type { Attempt } from "./Errand.ts";
import type { RecordedMoney } from "./eventShape.ts";
import type { OperationKind } from "./GatewayOutcome.ts";
import type { Given } from "./Given.ts";
import type { Purpose } from "./operationEvents.ts";
import type { CommandRecord, NewEvent } from "./PaymentEvent.ts";
import type { ExistingPayment } from "./PaymentState.ts";

export interface Requesting {
  readonly payment: PaymentRef;
  readonly state: ExistingPayment;
  readonly given: Given;
}

const announced = ({ payment, state, given }: Requesting, attempt: Attempt, kind: OperationKind) => {
  const number = state.operations.length + 1;
  return {
    operation: number,
    attempt: attempt.number,
    idempotencyKey: gatewayIdempotencyKey(given.deployment, payment, attempt.number, kind, number),
    // Known from the moment on at which a gateway holds anything, or waits for the customer.
    gatewayTransactionId: attempt.gatewayTransactionId ?? "",
  };
};

const asked = (command: CommandRecord | undefined) => (command === undefined ? {} : { command });

export const requestCapture = (
  requesting: Requesting,
  attempt: Attempt,
  amount: RecordedMoney,
  command: CommandRecord,
): NewEvent => ({
  type: "CaptureRequested",
  data: { ...announced(requesting, attempt, "capture"), amount, command },
});

export const requestVoid = (
  requesting: Requesting,
  attempt: Attempt,
  purpose: Purpose,
  command?: CommandRecord,
): NewEvent => ({
  type: "VoidRequested",
  data: { ...announced(requesting, attempt, "void"), purpose, ...asked(command) },
});

export const requestRefund = (
  requesting: Requesting,
  attempt: Attempt,
  amount: RecordedMoney,
  purpose: Purpose,
  { reason, command }: { readonly reason?: string | undefined; readonly command?: CommandRecord } = {},
): NewEvent => ({
  type: "RefundRequested",
  data: {
    ...announced(requesting, attempt, "refund"),
    amount,
    purpose,
    ...(reason === undefined ? {} : { reason }),
    ...asked(command),
  },
});
