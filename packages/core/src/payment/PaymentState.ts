/**
 * The states of a payment, each with its own data: what a state does not have cannot be read from it, and a transition
 * that is not written in evolve.ts cannot happen.
 */
import type { CreateBody } from "./CreateBody.ts";
import { isOpen, type Attempt, type Operation } from "./Errand.ts";
import type { AskedHook } from "./hookEvents.ts";
import type { NextAction } from "./GatewayOutcome.ts";
import type { CommandRecord, Failure, ReplyTo } from "./PaymentEvent.ts";
import type { Rejection } from "./Rejection.ts";

/** What was asked for, once and for ever. */
export interface Order {
  readonly create: CreateBody;
  readonly commandId: string;
  readonly message: string;
  readonly hash: string;
  readonly replyTo?: ReplyTo;
  readonly createdAt: string;
  /** What the enrich hook has added. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Names of gateways that the route hook puts first. */
  readonly gatewayOrder?: ReadonlyArray<string>;
}

/** A command after the create, and what became of it: taken, or refused by the state it met. */
export interface Remembered extends CommandRecord {
  readonly refusal?: Rejection;
  /** The capture, void or refund that it asked for. */
  readonly operation?: number;
}

/** When what waits for customer or merchant comes to its end. */
export interface Expiry {
  /** The version of the event that set it: the name of its timer. */
  readonly version: number;
  /** ISO 8601. */
  readonly due: string;
}

/** What every payment has that there is. */
export interface Existing {
  readonly order: Order;
  readonly version: number;
  readonly updatedAt: string;
  /** Attempts that have ended, oldest first. */
  readonly ended: ReadonlyArray<Attempt>;
  /** Captures, voids and refunds, by number. */
  readonly operations: ReadonlyArray<Operation>;
  readonly commands: ReadonlyArray<Remembered>;
}

export interface Absent {
  readonly name: "ABSENT";
  readonly version: 0;
}
export interface Initiated extends Existing {
  readonly name: "INITIATED";
  /** The hook that lets nothing of it begin: the same commit ends it. */
  readonly refusedBy?: AskedHook;
}
/** `attempt`: the one that waited for the customer, and goes on now. */
export interface Authenticated extends Existing {
  readonly name: "AUTHENTICATED";
  readonly attempt: Attempt | undefined;
}
/** A try is under way, or (`attempt.round` undefined) the last attempt has just ended and the same commit says what follows. */
export interface Processing extends Existing {
  readonly name: "PROCESSING";
  readonly attempt: Attempt;
}
/** A try may have left and no answer came. */
export interface OutcomeUnknown extends Existing {
  readonly name: "OUTCOME_UNKNOWN";
  readonly attempt: Attempt;
}
/** The customer must act. Without an attempt, before any gateway was asked. */
export interface RequiresAction extends Existing {
  readonly name: "REQUIRES_ACTION";
  readonly attempt: Attempt | undefined;
  readonly nextAction: typeof NextAction.Type;
  /** Undefined in logs of version 0.1.0. */
  readonly expiry: Expiry | undefined;
}
/** Minor units of the payment's currency. `captured` is what the gateway says was taken; refunds do not lessen it. */
interface Holding extends Existing {
  readonly attempt: Attempt;
  readonly authorized: number;
  readonly captured: number;
}
export interface Authorized extends Holding {
  readonly name: "AUTHORIZED";
  readonly expiry: Expiry;
}
export interface PartiallyCaptured extends Holding {
  readonly name: "PARTIALLY_CAPTURED";
  readonly expiry: Expiry;
}
export interface Success extends Holding {
  readonly name: "SUCCESS";
}
export interface Failed extends Existing {
  readonly name: "FAILURE";
  readonly failure: Failure;
}
export interface Voided extends Existing {
  readonly name: "VOIDED";
}
export interface Expired extends Existing {
  readonly name: "EXPIRED";
}
/** People look at it. Unless the gateway's answer is what is wrong, it goes on being asked: evidence is always welcome. */
export interface NeedsReview extends Existing {
  readonly name: "NEEDS_REVIEW";
  /** The payment's own attempt; undefined where the payment had ended, and something of it came late. */
  readonly attempt: Attempt | undefined;
  readonly reason: string;
  /** The gateway reports something else than was asked for: no look-up can settle that. */
  readonly mismatch: boolean;
  /**
   * Where the payment's own outcome is known and only an errand (`review`) is in question: the state that the payment has
   * but for that, and goes back to.
   */
  readonly behind: Resting | undefined;
}

/** States in which something is held or taken, and operations can be asked for. */
export type Held = Authorized | PartiallyCaptured | Success;
export type Ended = Failed | Voided | Expired;
/** States that a review of an operation may stand before. */
export type Resting = Held | Ended | RequiresAction;

export type ExistingPayment = Initiated | Authenticated | Processing | OutcomeUnknown | Resting | NeedsReview;

export type PaymentState = Absent | ExistingPayment;

export const absent: PaymentState = { name: "ABSENT", version: 0 };

export const stateNames = [
  "INITIATED",
  "REQUIRES_ACTION",
  "AUTHENTICATED",
  "PROCESSING",
  "OUTCOME_UNKNOWN",
  "AUTHORIZED",
  "PARTIALLY_CAPTURED",
  "SUCCESS",
  "FAILURE",
  "VOIDED",
  "EXPIRED",
  "NEEDS_REVIEW",
] as const satisfies ReadonlyArray<ExistingPayment["name"]>;

/** The state but for a review of its operations, brought up to date with what every payment has. */
export const behindReview = (state: PaymentState): PaymentState => {
  if (state.name !== "NEEDS_REVIEW" || state.behind === undefined) return state;
  const { order, version, updatedAt, ended, operations, commands } = state;
  return { ...state.behind, order, version, updatedAt, ended, operations, commands };
};

export const isHeld = (state: PaymentState): state is Held =>
  state.name === "AUTHORIZED" || state.name === "PARTIALLY_CAPTURED" || state.name === "SUCCESS";

export const hasEnded = (state: PaymentState): state is Ended =>
  state.name === "FAILURE" || state.name === "VOIDED" || state.name === "EXPIRED";

/** The payment's own attempt: the one that is open, that waits, or that won. */
export const attemptOf = (state: PaymentState): Attempt | undefined => ("attempt" in state ? state.attempt : undefined);

/** Captures, voids and refunds whose outcome is still to come. */
export const openOperations = (state: ExistingPayment): ReadonlyArray<Operation> => state.operations.filter(isOpen);

/** Those on the payment's own charge: what undoes a late success is about another one. */
export const ownOpenOperations = (state: ExistingPayment): ReadonlyArray<Operation> =>
  openOperations(state).filter(({ purpose }) => purpose !== "compensation");

/** What a void of the payment's own charge comes to says more about it than whatever else is found meanwhile. */
export const isBeingVoided = (state: ExistingPayment): boolean =>
  ownOpenOperations(state).some(({ kind }) => kind === "void");

/** The states in which a payment rests, unless an operation is under way. */
export const restingNames: ReadonlySet<string> = new Set<PaymentState["name"]>([
  "SUCCESS",
  "FAILURE",
  "REQUIRES_ACTION",
  "NEEDS_REVIEW",
  "AUTHORIZED",
  "PARTIALLY_CAPTURED",
  "VOIDED",
  "EXPIRED",
]);

/**
 * At rest: ended, or waiting for customer, merchant or operator, and no capture, void or refund is under way. Whether a
 * look-up is owed is another question, which `intents` answers: in NEEDS_REVIEW it may be.
 */
export const isAtRest = (state: PaymentState): boolean =>
  state.name !== "ABSENT" &&
  restingNames.has(state.name) &&
  !(state.name === "REQUIRES_ACTION" && state.attempt?.round !== undefined) &&
  !state.operations.some((operation) => isOpen(operation) && operation.review === undefined);
