/** What the gateway books for a request: as it was asked, or what the token or a fault orders instead. */
import { type Booking, type Charge, type ChargeRequest, newCharge, type Operation } from "./Charge.ts";
import { decideOperation, leftFor, type OperationRequest } from "./ChargeOperation.ts";
import { chargeIdOf } from "./documents.ts";
import { behaviourOf, declines } from "./Tokens.ts";

/** The faults that change what is booked. */
interface BookingFaults {
  readonly declined: keyof typeof declines | undefined;
  readonly refused: boolean;
  readonly otherAmount: boolean;
  readonly otherCurrency: boolean;
}

export const noBookingFaults: BookingFaults = {
  declined: undefined,
  refused: false,
  otherAmount: false,
  otherCurrency: false,
};

/** One minor unit away; the same only where a single one is all there is. */
const otherAmount = (amount: number, left: number): number => (amount > 1 ? amount - 1 : Math.min(left, 2));

const otherCurrency = (currency: string): string => (currency === "EUR" ? "USD" : "EUR");

const misbook = ({ amount, currency }: Booking, left: number, faults: BookingFaults): Booking => ({
  amount: faults.otherAmount ? otherAmount(amount, left) : amount,
  currency: faults.otherCurrency ? otherCurrency(currency) : currency,
});

export const bookCharge = (key: string, request: ChargeRequest, faults: BookingFaults): Charge => {
  const { result, books } = behaviourOf(request.token);
  const booked = misbook(request, Number.MAX_SAFE_INTEGER, {
    ...faults,
    otherAmount: faults.otherAmount || books === "other-amount",
    otherCurrency: faults.otherCurrency || books === "other-currency",
  });
  return newCharge(
    chargeIdOf(key),
    key,
    request,
    faults.declined === undefined ? result : declines[faults.declined],
    booked,
  );
};

const refusedByBank = { code: "operation_refused", message: "the bank refused the operation" };

/** Or why the request is refused, which is not remembered. */
export const bookOperation = (
  charge: Charge,
  request: OperationRequest,
  faults: BookingFaults,
): ReturnType<typeof decideOperation> => {
  const decided = decideOperation(charge, request);
  if ("refused" in decided) return decided;
  if (faults.refused || behaviourOf(charge.token).operations === "refuse") {
    return { ...decided, status: "failed", error: refusedByBank };
  }
  // A void names no amount that could be another.
  if (decided.kind === "void") return decided;
  const asked = { amount: decided.amount, currency: charge.currency };
  const { amount, currency } = misbook(asked, leftFor(charge, decided.kind), faults);
  return { ...decided, amount, ...(currency === charge.currency ? {} : { currency }) };
};

/** An operation whose time had passed when its turn came: remembered, unlike a refusal that is answered at once. */
export const failedOperation = (charge: Charge, request: OperationRequest, message: string): Operation => ({
  key: request.key,
  kind: request.kind,
  amount: request.amount ?? charge.amount,
  ...(request.amount === undefined ? {} : { requested: request.amount }),
  status: "failed",
  error: { code: "charge_unexpected_state", message },
});
