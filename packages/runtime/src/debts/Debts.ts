/**
 * What a payment owes, and what keeps that from being forgotten (law 5): pure, so that it can be tried
 * without a server.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { intents, type Intent } from "@aegispay/core/payment/intents";
import type { PaymentState } from "@aegispay/core/payment/PaymentState";
import { timerKindOf, type TimerKind } from "../timers/Timers.ts";

export interface Debt {
  readonly payment: PaymentRef;
  /** The payment's state; `HALTED` where its log cannot be read to the end. */
  readonly state: string;
  /** `lookUp 1/3`: what, for which attempt, in which round; `refund lookUp 2/1`: for which operation; `expiry`. */
  readonly owes: string;
  /** Not before this moment, ISO 8601; null where nobody knows. */
  readonly due: string | null;
  /** The version that opened the round, and names its timer. */
  readonly version: number;
  /** Of its timer; any kind where the log says nothing. */
  readonly kind: TimerKind | undefined;
  /** The versions of what the payment owes besides: their timers come when it suits them. */
  readonly others: ReadonlyArray<number>;
}

const nameOf = (intent: Intent): string => {
  if (intent.kind === "expiry") return "expiry";
  const { action, round } = intent.round;
  return intent.kind === "charge"
    ? `${action} ${intent.attempt.number}/${round}`
    : `${intent.operation.kind} ${action} ${intent.operation.number}/${round}`;
};

/** All that a state owes; empty where it owes nothing. */
export const debtsOf = (payment: PaymentRef, state: PaymentState): ReadonlyArray<Debt> => {
  const owed = intents(state);
  return owed.map((intent) => {
    const { version, due } = intent.round;
    const others = owed.map(({ round }) => round.version).filter((other) => other !== version);
    return { payment, state: state.name, owes: nameOf(intent), due, version, kind: timerKindOf(intent), others };
  });
};

/** A log that is not continuous says nothing: the payment may owe anything, so any holder counts. */
export const debtOfHalted = (payment: PaymentRef, reason: string): Debt => ({
  payment,
  state: "HALTED",
  owes: `unknown (${reason})`,
  due: null,
  version: Number.MAX_SAFE_INTEGER,
  kind: undefined,
  others: [],
});

/** In the order in which they are shown. */
export const holderKinds = ["timer", "command", "internal", "due", "parked"] as const;
export type HolderKind = (typeof holderKinds)[number];

/** Something durable that speaks of a payment. */
export interface Holding {
  readonly by: HolderKind;
  /** Of an armed timer: the version that armed it, and its kind. */
  readonly version?: number;
  readonly kind?: string;
}

/**
 * Whether it brings the payment back to its owner in time, who then sees to the debt. An armed timer does so if it is that
 * of the debt, or of an earlier one of its kind that is settled: when that fires it is moot, but its owner arms what is owed
 * before acking it. A later one says that the payment has gone on since its log was read: no evidence about the debt that
 * was seen. That of another debt comes when that is due, which may be in a week.
 */
export const holds = (debt: Debt, { by, version = 0, kind }: Holding): boolean =>
  by !== "timer" ||
  (version <= debt.version && !debt.others.includes(version) && (debt.kind === undefined || kind === debt.kind));

export interface DebtRow {
  readonly merchant: string;
  readonly paymentId: string;
  readonly state: string;
  readonly owes: string;
  readonly due: string | null;
  /** Empty: forgotten. */
  readonly heldBy: ReadonlyArray<HolderKind>;
}

export const isForgotten = (row: DebtRow): boolean => row.heldBy.length === 0;

export const debtRow = (debt: Debt, holdings: ReadonlyArray<Holding>): DebtRow => {
  const { payment, state, owes, due } = debt;
  const kinds = new Set(holdings.filter((holding) => holds(debt, holding)).map(({ by }) => by));
  return { ...payment, state, owes, due, heldBy: holderKinds.filter((kind) => kinds.has(kind)) };
};

/** The forgotten ones first, then by when they are due. */
export const inOrder = (rows: ReadonlyArray<DebtRow>): ReadonlyArray<DebtRow> =>
  rows.toSorted(
    (left, right) =>
      Number(isForgotten(right)) - Number(isForgotten(left)) ||
      (left.due ?? "").localeCompare(right.due ?? "") ||
      paymentKey(left).localeCompare(paymentKey(right)),
  );
