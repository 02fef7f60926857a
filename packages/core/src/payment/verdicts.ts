/** What hooks have said about a create, as data of the command, and what the payment's first commit makes of it. */
import { base } from "./evolving.ts";
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

/** What `enrich` has added to a payment that is only about to begin. */
export const labelsIn = (verdicts: Verdicts | undefined): Readonly<Record<string, string>> =>
  Object.assign(
    {},
    ...(verdicts?.events ?? []).map((event) => (event.type === "PaymentEnriched" ? event.data.labels : {})),
  );

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
