/**
 * Something outside says that a gateway knows more. That proves nothing: what is ours is looked up, and not under way.
 *
 * 1. What a notification says is compared with what we asked for, and goes no further: no amount, no status of it is believed.
 * 2. One that is about nothing of ours begins nothing, so that whoever shares an account at a gateway cannot make us ask.
 * 3. One that says what we know already begins none either: most notifications tell of what our own call was answered.
 * 4. While a look-up is under way a notification begins none, so several in a row are one look-up.
 */
import { isOpen, isOperation, type Attempt, type Errand } from "./Errand.ts";
import type { Given } from "./Given.ts";
import { errandsOf } from "./intents.ts";
import { roundsWithNotifications } from "./limits.ts";
import type { NotifiedAbout } from "./PaymentCommand.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import { attemptOf, isBeingVoided, type ExistingPayment } from "./PaymentState.ts";
import { lookUpNow } from "./verification.ts";

/** Look-ups that one notification may begin: what is older is settled long since. */
const lookUpsMax = 20;

const mayHaveMore = (state: ExistingPayment, errand: Errand): boolean => {
  if (errand.review !== undefined) return false;
  if (isOperation(errand)) {
    // A capture or void that the gateway has settled cannot come back; a refund can.
    const mayComeBack = errand.kind === "refund" || errand.isDoubtful === true;
    return isOpen(errand) ? errand.status === "UNKNOWN" : mayComeBack;
  }
  if (errand.number !== attemptOf(state)?.number) return true;
  if (state.name === "NEEDS_REVIEW") return !state.mismatch;
  // While a void is under way it says more about the attempt than any look-up.
  return state.name === "REQUIRES_ACTION" ? !isBeingVoided(state) : errand.status !== "PENDING";
};

/** Look-ups that notifications may still begin: what clients may yet ask for has its place in the log (limits.ts). */
const lookUpsLeft = (state: ExistingPayment): number => {
  const rounds = errandsOf(state).reduce((total, { lastRound }) => total + lastRound, 0);
  return Math.max(0, Math.min(lookUpsMax, roundsWithNotifications - rounds));
};

/** The gateway's own name for the charge; some have none yet while the customer is at the bank, and our key stands for it. */
const namedByGateway = ({ gatewayTransactionId, idempotencyKey }: Attempt): string | undefined =>
  gatewayTransactionId === idempotencyKey ? undefined : gatewayTransactionId;

const isSameCharge = (attempt: Attempt, about: NotifiedAbout): boolean => {
  if (attempt.gateway !== about.gateway || attempt.account !== about.account) return false;
  const named = namedByGateway(attempt);
  return named === undefined || about.gatewayTransactionId === undefined || named === about.gatewayTransactionId;
};

const isAboutCharge = (attempt: Attempt, about: NotifiedAbout): boolean => {
  if (!isSameCharge(attempt, about)) return false;
  if (namedByGateway(attempt) !== undefined && about.gatewayTransactionId !== undefined) return true;
  if (about.idempotencyKey !== undefined) return about.idempotencyKey === attempt.idempotencyKey;
  const { amount } = attempt.request;
  return about.amount?.value === amount.value && about.amount.currency === amount.currency;
};

/** What of a payment a notification is about: the operation whose key it names, else a charge and all that was asked of it. */
const errandsAbout = (errands: ReadonlyArray<Errand>, about: NotifiedAbout): ReadonlyArray<Errand> => {
  const attemptOfErrand = (errand: Errand): Attempt | undefined =>
    isOperation(errand)
      ? errands.find((other): other is Attempt => !isOperation(other) && other.number === errand.attempt)
      : errand;
  const isMeant = (errand: Errand, holds: (attempt: Attempt, about: NotifiedAbout) => boolean): boolean => {
    const attempt = attemptOfErrand(errand);
    return attempt !== undefined && holds(attempt, about);
  };
  const named = errands.filter(
    (errand) => isOperation(errand) && errand.idempotencyKey === about.idempotencyKey && isMeant(errand, isSameCharge),
  );
  return named.length > 0 ? named : errands.filter((errand) => isMeant(errand, isAboutCharge));
};

/** Whether it says of the payment's own charge what the payment knows: the money held, or taken, and how much. */
const saysOfWinner = (state: ExistingPayment, { says, amount }: NotifiedAbout): boolean => {
  const isHeld = state.name === "AUTHORIZED" || state.name === "PARTIALLY_CAPTURED" || state.name === "SUCCESS";
  if (says === "authorized") return isHeld;
  return says === "succeeded" && state.name === "SUCCESS" && amount?.value === state.captured;
};

const saysNothingNew = (state: ExistingPayment, errand: Errand, about: NotifiedAbout): boolean => {
  if (errand.isDoubtful === true) return false;
  if (errand.status === "FAILED") return about.says === "failed";
  if (errand.status !== "SUCCEEDED") return false;
  if (isOperation(errand)) return about.idempotencyKey === errand.idempotencyKey && about.says === "succeeded";
  return errand.number === attemptOf(state)?.number && saysOfWinner(state, about);
};

/** Whether a notification is about anything that this payment has asked for. */
export const isAboutOurs = (state: ExistingPayment, about: NotifiedAbout): boolean =>
  errandsAbout(errandsOf(state), about).length > 0;

/** `state`: behind any review of an errand. */
export const onNotification = (
  state: ExistingPayment,
  given: Given,
  about?: NotifiedAbout,
): ReadonlyArray<NewEvent> => {
  const errands = errandsOf(state);
  const meant =
    about === undefined
      ? errands
      : errandsAbout(errands, about).filter((errand) => !saysNothingNew(state, errand, about));
  const asked = meant.filter((errand) => mayHaveMore(state, errand));
  const newest = asked.slice(Math.max(0, asked.length - lookUpsLeft(state)));
  return newest.flatMap((errand) => lookUpNow({ state, errand, given }));
};
