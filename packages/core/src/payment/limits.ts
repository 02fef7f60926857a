/**
 * The bounds of one payment's log. Every command of a client and every round is an event, and a log is read as a whole: one
 * that could grow for ever would one day be too long to be replayed, and take its payment with it.
 */
import { openOperations, type ExistingPayment } from "./PaymentState.ts";

/** Events that clients' commands may bring a payment's log to. */
export const clientEventsMax = 1_000;
/** 200 more are kept for outcomes, rounds and operators. */
export const eventsMax = 1_200;
/** From here on no further round is begun: what is left of them is for outcomes and operators. */
export const roundsUntilVersion = 1_100;
/**
 * Rounds of all that was asked for, from which on notifications begin none: each look-up may be two events, so clients keep
 * half of theirs however often a gateway notifies. What is open is looked up by its schedule all the same.
 */
export const roundsWithNotifications = 250;
/** Commands that are refused by state and remembered. */
export const refusalsMax = 100;
/** Captures, voids and refunds under way at once. */
export const openOperationsMax = 50;

/** What an operation that is under way may still add: unknown, round, outcome, and what follows from it. */
const eventsOfAnOpenOperation = 4;

/** Whether a client's command still has its place, with the outcomes of all that is under way and of its own. */
export const hasPlaceForCommand = (state: ExistingPayment): boolean => {
  const open = openOperations(state).length;
  return open < openOperationsMax && state.version + (open + 1) * eventsOfAnOpenOperation <= clientEventsMax;
};
