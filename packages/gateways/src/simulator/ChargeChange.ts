/**
 * What befalls a charge without a request of the merchant: its customer authenticates or fails to, its authorization
 * lapses, a bank takes a refund back, or approves late what it had declined. Pure and total; refusals are values.
 */
import { Schema } from "effect";
import { approve, type Charge } from "./Charge.ts";
import { behaviourOf, failedAuthentication } from "./Tokens.ts";

export const ChargeChange = Schema.Union([
  Schema.Struct({ type: Schema.Literal("authentication"), result: Schema.Literals(["succeeded", "failed"]) }),
  Schema.Struct({ type: Schema.Literal("expiry") }),
  /** `key`: that of the refund. */
  Schema.Struct({ type: Schema.Literal("reversal"), key: Schema.String }),
  Schema.Struct({ type: Schema.Literal("late-success") }),
]);
export type ChargeChange = typeof ChargeChange.Type;

/** What the change leads to; the very same charge where it has come about before. */
type Changed = { readonly charge: Charge } | { readonly refused: string };

const impossible = (charge: Charge, what: string): Changed => ({
  refused: `a charge that is ${charge.status} cannot ${what}`,
});

export const changeCharge = (charge: Charge, change: ChargeChange): Changed => {
  switch (change.type) {
    case "authentication":
      return authenticate(charge, change.result);
    case "expiry":
      return expire(charge);
    case "reversal":
      return reverse(charge, change.key);
    case "late-success":
      return succeedLate(charge);
  }
};

const authenticate = (charge: Charge, result: "succeeded" | "failed"): Changed => {
  if (charge.authentication === result) return { charge };
  if (charge.status !== "requires_action") return impossible(charge, "be authenticated");
  const authenticated: Charge = { ...charge, authentication: result };
  const decline = result === "failed" ? failedAuthentication : behaviourOf(charge.token).declinedAfterAuthentication;
  return { charge: decline === undefined ? approve(authenticated) : { ...authenticated, status: "declined", decline } };
};

const expire = (charge: Charge): Changed => {
  switch (charge.status) {
    case "expired":
      return { charge };
    case "authorized":
    case "requires_action":
      return { charge: { ...charge, status: "expired" } };
    case "partially_captured":
      return { charge: { ...charge, status: "succeeded" } };
    default:
      return impossible(charge, "expire");
  }
};

const reverse = (charge: Charge, key: string): Changed => {
  const refund = charge.operations.find((operation) => operation.key === key);
  if (refund?.status === "reversed") return { charge };
  if (refund?.kind !== "refund" || refund.status !== "succeeded") {
    return { refused: "no refund of this charge that was done has this key" };
  }
  const operations = charge.operations.map((operation) =>
    operation === refund ? { ...refund, status: "reversed" as const } : operation,
  );
  return { charge: { ...charge, operations, refunded: charge.refunded - refund.amount } };
};

const succeedLate = (charge: Charge): Changed =>
  charge.status === "declined" || charge.status === "requires_action"
    ? { charge: approve(charge) }
    : impossible(charge, "succeed late");
