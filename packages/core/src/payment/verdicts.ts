/** What hooks have said about a create, as data of the command, and what the payment's first commit makes of it. */
import { base } from "./evolving.ts";
import type { Candidate } from "./Given.ts";
import type { CurrentEvent, EventOf, Failure, NewEvent } from "./PaymentEvent.ts";
import type { ExistingPayment, PaymentState } from "./PaymentState.ts";

type Judged = Extract<NewEvent, { readonly type: "HookJudged" | "PaymentEnriched" }>;

export interface Verdicts {
  /** In the order in which the hooks were asked; at most the last is a refusal. */
  readonly events: ReadonlyArray<Judged>;
  /** Why the payment fails before anything begins. */
  readonly refusal?: Failure;
  /** Names of gateways to be tried first. */
  readonly route?: ReadonlyArray<string>;
}

/** Candidates whose names the hook gave, in its order, then the others in theirs. Names that are no candidate are passed over. */
export const inHooksOrder = (
  candidates: ReadonlyArray<Candidate>,
  names: ReadonlyArray<string> | undefined,
): ReadonlyArray<Candidate> => {
  if (names === undefined || names.length === 0) return candidates;
  const named = names.flatMap((name) => candidates.filter(({ gateway }) => gateway === name));
  return [...new Set([...named, ...candidates])];
};

/** The candidate that the hook's order puts first, if it names any. */
export const firstByHook = (
  candidates: ReadonlyArray<Candidate>,
  names: ReadonlyArray<string> = [],
): Candidate | undefined =>
  names.some((name) => candidates.some(({ gateway }) => gateway === name))
    ? inHooksOrder(candidates, names)[0]
    : undefined;

/** A hook has refused it: the same commit says that it has failed. */
export const isRefusedByHook = (state: ExistingPayment): boolean =>
  state.name === "INITIATED" && state.refusedBy !== undefined;

const judged = (state: ExistingPayment, event: EventOf<"HookJudged">): PaymentState | undefined => {
  if (state.name !== "INITIATED" || isRefusedByHook(state)) return undefined;
  const { hook, verdict, order: names } = event.data;
  const order = names === undefined ? state.order : { ...state.order, gatewayOrder: names };
  const refused = verdict === "refused" ? { refusedBy: hook } : {};
  return { ...state, ...base(state, event), order, ...refused };
};

const enriched = (state: ExistingPayment, event: EventOf<"PaymentEnriched">): PaymentState | undefined =>
  state.name === "INITIATED" && !isRefusedByHook(state)
    ? { ...state, ...base(state, event), order: { ...state.order, labels: event.data.labels } }
    : undefined;

/** Hooks are asked before anything of the payment has begun. What one has refused fails, and does nothing else. */
export const evolveVerdict = (state: ExistingPayment, event: CurrentEvent): PaymentState | undefined => {
  switch (event.type) {
    case "HookJudged":
      return judged(state, event);
    case "PaymentEnriched":
      return enriched(state, event);
    case "PaymentFailed":
      return { ...base(state, event), name: "FAILURE", failure: event.data.failure };
    default:
      return undefined;
  }
};
