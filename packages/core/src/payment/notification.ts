/** Something outside says that a gateway knows more. That proves nothing: what is ours is looked up, and not under way. */
import { isOpen, isOperation, type Errand } from "./Errand.ts";
import type { Given } from "./Given.ts";
import { errandsOf } from "./intents.ts";
import { roundsWithNotifications } from "./limits.ts";
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

/** `state`: behind any review of an errand. */
export const onNotification = (state: ExistingPayment, given: Given): ReadonlyArray<NewEvent> => {
  const asked = errandsOf(state).filter((errand) => mayHaveMore(state, errand));
  const newest = asked.slice(Math.max(0, asked.length - lookUpsLeft(state)));
  return newest.flatMap((errand) => lookUpNow({ state, errand, given }));
};
