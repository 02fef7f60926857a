/**
 * What is known of a key at Adyen, which cannot be asked: the join of all that its webhooks have said about it. Where they
 * have said nothing, the same request under its key is the way to ask: Adyen answers it with what became of the first.
 *
 * Of a charge a success outweighs everything before it, and a release everything. Of an operation a failure that comes after
 * the success outweighs it: "done" was only ever "accepted".
 */
import type { LookUpOutcome, OperationLookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import type { LookUpRequest, OperationRequest } from "../Gateway.ts";
import { unknown } from "../evidence/noAnswer.ts";
import type { Notification } from "../webhooks/Webhook.ts";

const notHeard = { ...unknown("no webhook has told yet"), sameKeyAnswers: true as const };

const outcomesAbout = <About extends "charge" | "operation">(
  notifications: ReadonlyArray<Notification>,
  about: About,
): ReadonlyArray<About extends "charge" ? LookUpOutcome : OperationLookUpOutcome> =>
  notifications.flatMap(({ evidence }) =>
    evidence?.about === about
      ? [evidence.outcome as About extends "charge" ? LookUpOutcome : OperationLookUpOutcome]
      : [],
  );

const withTag = <Outcome extends { readonly _tag: string }, Tag extends Outcome["_tag"]>(
  outcomes: ReadonlyArray<Outcome>,
  tag: Tag,
): Extract<Outcome, { readonly _tag: Tag }> | undefined =>
  outcomes.find((outcome): outcome is Extract<Outcome, { readonly _tag: Tag }> => outcome._tag === tag);

export const chargeHeard = (notifications: ReadonlyArray<Notification>, { capture }: LookUpRequest): LookUpOutcome => {
  const outcomes = outcomesAbout(notifications, "charge");
  const approved = withTag(outcomes, "Approved");
  return (
    withTag(outcomes, "Released") ??
    (approved && { ...approved, status: capture === "manual" ? "authorized" : "succeeded" }) ??
    withTag(outcomes, "Declined") ??
    notHeard
  );
};

export const operationHeard = (
  notifications: ReadonlyArray<Notification>,
  { kind, gatewayTransactionId }: OperationRequest,
): OperationLookUpOutcome => {
  const outcomes = outcomesAbout(
    // A void of a payment that Adyen had not named yet knows it only by our key.
    notifications.filter((heard) => kind === "void" || heard.gatewayTransactionId === gatewayTransactionId),
    "operation",
  );
  const done = withTag(outcomes, "Done");
  const refused = withTag(outcomes, "Refused");
  if (done !== undefined && refused !== undefined && kind === "refund") return { ...done, _tag: "Reversed" };
  return withTag(outcomes, "Reversed") ?? refused ?? done ?? notHeard;
};
