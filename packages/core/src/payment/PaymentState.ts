/**
 * The states of a payment, each with its own data: what a state does not have cannot be read from it, and a transition
 * that is not written in evolve.ts cannot happen.
 */
import type { CreateBody } from "./CreateBody.ts";
import type { NextAction } from "./GatewayOutcome.ts";
import type { ChargeRequest, Failure, ReplyTo } from "./PaymentEvent.ts";

/** What was asked for, once and for ever. */
export interface Order {
  readonly create: CreateBody;
  readonly commandId: string;
  readonly message: string;
  readonly hash: string;
  readonly replyTo?: ReplyTo;
  readonly createdAt: string;
}

/** What is owed next for an attempt: `round` 0 is the first try; each later round was a commit of its own. */
export interface Round {
  readonly round: number;
  /** The version of the event that opened it: the name of its timer, so that one subject has one due time for ever. */
  readonly version: number;
  readonly action: "start" | "lookUp" | "resend";
  /** ISO 8601: not before this moment. */
  readonly due: string;
  /** Position in the policy's schedule of look-ups; 0 until the first look-up was made in vain. */
  readonly step: number;
}

export interface Attempt {
  readonly number: number;
  readonly gateway: string;
  readonly account: string;
  readonly idempotencyKey: string;
  readonly request: ChargeRequest;
  readonly startedAt: string;
  /** The number of the latest round; 0 is the first try. */
  readonly lastRound: number;
  /** How often the request was announced for sending: the first try and every resend (criterion 20 bounds it). */
  readonly tries: number;
  readonly status: "PENDING" | "SUCCEEDED" | "FAILED" | "UNKNOWN";
  readonly gatewayTransactionId?: string;
  readonly failure?: Failure;
  /** Whether the rules of the field let the payment go on to another gateway after this attempt failed. */
  readonly mayMoveOn?: boolean;
}

interface Existing {
  readonly order: Order;
  readonly version: number;
  readonly updatedAt: string;
  /** Attempts that have ended, oldest first. */
  readonly ended: ReadonlyArray<Attempt>;
}

export interface Absent {
  readonly name: "ABSENT";
  readonly version: 0;
}
export interface Initiated extends Existing {
  readonly name: "INITIATED";
}
export interface Authenticated extends Existing {
  readonly name: "AUTHENTICATED";
}
/** A try is under way, or (`round` undefined) the last attempt has just ended and the same commit says what follows. */
export interface Processing extends Existing {
  readonly name: "PROCESSING";
  readonly attempt: Attempt;
  readonly round: Round | undefined;
}
/** A try may have left and no answer came. `round` undefined: the same commit says what follows. */
export interface OutcomeUnknown extends Existing {
  readonly name: "OUTCOME_UNKNOWN";
  readonly attempt: Attempt;
  readonly round: Round | undefined;
}
export interface RequiresAction extends Existing {
  readonly name: "REQUIRES_ACTION";
  readonly attempt: Attempt;
  readonly nextAction: typeof NextAction.Type;
}
export interface Success extends Existing {
  readonly name: "SUCCESS";
  readonly attempt: Attempt;
  readonly captured: number;
}
export interface Failed extends Existing {
  readonly name: "FAILURE";
  readonly failure: Failure;
}
/** People look at it. Unless the gateway's answer is what is wrong, it goes on being asked: evidence is always welcome. */
export interface NeedsReview extends Existing {
  readonly name: "NEEDS_REVIEW";
  readonly attempt: Attempt;
  readonly reason: string;
  /** The gateway reports something else than was asked for: no look-up can settle that. */
  readonly mismatch: boolean;
  /** The next look-up. Undefined: a mismatch, the rounds are used up, or a log of version 0.1.0. */
  readonly round: Round | undefined;
}

export type ExistingPayment =
  | Initiated
  | Authenticated
  | Processing
  | OutcomeUnknown
  | RequiresAction
  | Success
  | Failed
  | NeedsReview;

export type PaymentState = Absent | ExistingPayment;

export const absent: PaymentState = { name: "ABSENT", version: 0 };

/**
 * At rest: ended, or waiting for the customer or an operator, so that whoever waits for the payment is answered. Whether a
 * look-up is owed is another question, which `intents` answers: in NEEDS_REVIEW it may be.
 */
export const isAtRest = (state: PaymentState): boolean =>
  state.name === "SUCCESS" ||
  state.name === "FAILURE" ||
  state.name === "REQUIRES_ACTION" ||
  state.name === "NEEDS_REVIEW";
