/**
 * Everything that reaches an actor is one of these: a client's command, an operator's word, an outcome of a call, a
 * notification, a moment that has come, a take-over's resumption.
 */
import type { PaymentRef } from "../identity/Identity.ts";
import type { AuthenticateBody, CancelBody, CaptureBody, RefundBody, ResolveBody, VoidBody } from "./CommandBodies.ts";
import type { CreateBody } from "./CreateBody.ts";
import type { GatewayOutcome, LookUpOutcome, OperationLookUpOutcome, OperationOutcome } from "./GatewayOutcome.ts";
import type { Given } from "./Given.ts";
import type { ReplyTo } from "./PaymentEvent.ts";
import type { Verdicts } from "./verdicts.ts";

/** The verbs clients may publish. */
export const clientVerbs = ["create", "authenticate", "capture", "void", "refund", "cancel"] as const;

/** What somebody asked for, under an identity by which it is remembered. */
interface Identified<Type extends string, Body> {
  readonly type: Type;
  readonly payment: PaymentRef;
  /** Defaults left out. */
  readonly body: Body;
  /** Of the body. */
  readonly hash: string;
  readonly commandId: string;
  /** The stream position it came by. */
  readonly message: string;
  readonly replyTo?: ReplyTo;
  readonly given: Given;
}

/** `verdicts`: of the hooks that were asked about it, where there are any. */
export type Create = Identified<"Create", CreateBody> & { readonly verdicts?: Verdicts };
export type Capture = Identified<"Capture", CaptureBody>;
export type Void = Identified<"Void", VoidBody>;
export type Refund = Identified<"Refund", RefundBody>;
export type Cancel = Identified<"Cancel", CancelBody>;
export type Authenticate = Identified<"Authenticate", AuthenticateBody>;
/** An operator's word about a payment that people look at. */
export type Resolve = Identified<"Resolve", ResolveBody>;

/** A command to a payment that is there. */
export type FurtherCommand = Capture | Void | Refund | Cancel | Authenticate | Resolve;
export type IdentifiedCommand = Create | FurtherCommand;

/** What came of starting or resending a charge in the given round. */
export interface RecordOutcome {
  readonly type: "RecordOutcome";
  readonly payment: PaymentRef;
  readonly attempt: number;
  readonly round: number;
  readonly outcome: GatewayOutcome;
  readonly given: Given;
}

/** What a look-up of a charge in the given round answered. */
export interface RecordLookUp {
  readonly type: "RecordLookUp";
  readonly payment: PaymentRef;
  readonly attempt: number;
  readonly round: number;
  readonly outcome: LookUpOutcome;
  readonly given: Given;
}

/** What came of a capture, void or refund, or of looking it up, in the given round. */
export interface RecordOperation {
  readonly type: "RecordOperation";
  readonly payment: PaymentRef;
  readonly operation: number;
  readonly round: number;
  readonly outcome: OperationOutcome | OperationLookUpOutcome;
  readonly given: Given;
}

export type Recorded = RecordOutcome | RecordLookUp | RecordOperation;

/** What a gateway's message is about, as far as it says so. Whoever sent it may have said anything: it is compared, not believed. */
export interface NotifiedAbout {
  readonly gateway: string;
  readonly account: string;
  readonly idempotencyKey?: string;
  readonly gatewayTransactionId?: string;
  readonly amount?: { readonly value: number; readonly currency: string };
  /**
   * What it says has become of it. Where that is what we know there is nothing to look up; nothing else follows from it. Left
   * out where a gateway says something else, or may have meant something else.
   */
  readonly says?: "authorized" | "succeeded" | "failed";
}

/** Something outside says that the gateway knows more. It proves nothing: what is ours is looked up. */
export interface Notify {
  readonly type: "Notify";
  readonly payment: PaymentRef;
  /** Only what it is about is looked up; without it all of it. */
  readonly about?: NotifiedAbout;
  readonly given: Given;
}

/** The moment has come at which what waits for customer or merchant ends; `version` is that of the event which set it. */
export interface Expire {
  readonly type: "Expire";
  readonly payment: PaymentRef;
  readonly version: number;
  readonly given: Given;
}

/** A new owner goes on with what an earlier one left: its tries may have left, so a round of our own comes first. */
export interface Resume {
  readonly type: "Resume";
  readonly payment: PaymentRef;
  /** The round to go on with, by its version; all that are open where it is left out. */
  readonly round?: number;
  readonly given: Given;
}

export type PaymentCommand = IdentifiedCommand | Recorded | Notify | Expire | Resume;
