/** How an attempt begins, and what follows when one has failed for certain. */
import { Result } from "effect";
import { gatewayIdempotencyKey, type PaymentRef } from "../identity/Identity.ts";
import { seedOf } from "../routing/chance.ts";
import { factsOf, type RoutedOrder } from "../routing/PaymentFacts.ts";
import { route, wasTried, type NoRoute, type Route } from "../routing/route.ts";
import { plainTable } from "../routing/RoutingTable.ts";
import type { Attempt } from "./Errand.ts";
import type { Given } from "./Given.ts";
import type { Failure, NewEvent } from "./PaymentEvent.ts";
import type { NeedsReview, OutcomeUnknown, Processing } from "./PaymentState.ts";
import { recordRoute } from "./RecordedRoute.ts";

/** Characters of a reason that are kept in the log. */
const reasonMax = 500;

/** The states in which an attempt is open: an answer about it still counts. */
export type OpenPayment = Processing | OutcomeUnknown | (NeedsReview & { readonly attempt: Attempt });

/** Where the n-th attempt of a payment goes: never to a gateway where it was tried. */
export const routeAttempt = (
  payment: PaymentRef,
  order: RoutedOrder,
  number: number,
  tried: ReadonlyArray<Attempt>,
  { candidates, routing = { table: plainTable, live: new Map() } }: Given,
): Result.Result<Route, NoRoute> =>
  route(routing, { candidates, facts: factsOf(payment, order), seed: seedOf(payment, number), tried });

/** Whether there was anything to choose; where there was not, its record would only make the log longer. */
const isWorthRecording = ({ order, skipped, rule }: Route, { routing }: Given): boolean =>
  routing !== undefined && (order.length > 1 || skipped.length > 0 || rule !== undefined);

export const startAttempt = (
  payment: PaymentRef,
  request: Attempt["request"],
  number: number,
  routed: Route,
  given: Given,
  after?: string,
): NewEvent => {
  const [{ gateway, account, why }] = routed.order;
  return {
    type: "AttemptStarted",
    data: {
      attempt: number,
      gateway,
      account,
      why: after ?? why.join("; "),
      ...(isWorthRecording(routed, given) ? { route: recordRoute(routed) } : {}),
      idempotencyKey: gatewayIdempotencyKey(given.deployment, payment, number, "charge", 1),
      request,
    },
  };
};

/** No customer is charged long after the order: what holds for sending again holds for another gateway too (law 4). */
const mayStillCharge = ({ order }: OpenPayment, { at, policy }: Given): boolean => {
  const { expiresAt } = order.create;
  const isExpired = expiresAt !== undefined && at >= Date.parse(expiresAt);
  return !isExpired && at < Date.parse(order.createdAt) + policy.resendForMillis;
};

/** What is left out for another reason than that it was tried is worth a word in the log. */
const noOtherThan = ({ skipped, why }: NoRoute): { readonly noOther?: string } =>
  skipped.some((one) => one.why !== wasTried) ? { noOther: why.slice(0, reasonMax) } : {};

/**
 * What follows an attempt that has failed for certain: the next candidate, or the end. Never another attempt out of review:
 * a person is looking at the payment, and the customer may have paid otherwise or be long gone.
 */
export const afterFailedAttempt = (
  payment: PaymentRef,
  state: OpenPayment,
  given: Given,
  failure: Failure,
  mayMoveOn: boolean,
): ReadonlyArray<NewEvent> => {
  const number = state.attempt.number + 1;
  const attemptsMax = Math.min(given.policy.maxAttempts, given.routing?.table.maxAttempts ?? Number.POSITIVE_INFINITY);
  const isAllowed = mayMoveOn && state.name !== "NEEDS_REVIEW" && number <= attemptsMax && mayStillCharge(state, given);
  if (!isAllowed) return [{ type: "PaymentFailed", data: { failure } }];
  const next = routeAttempt(payment, state.order, number, [...state.ended, state.attempt], given);
  return Result.isSuccess(next)
    ? [startAttempt(payment, state.attempt.request, number, next.success, given, `after ${failure.code}`)]
    : [{ type: "PaymentFailed", data: { failure, ...noOtherThan(next.failure) } }];
};
