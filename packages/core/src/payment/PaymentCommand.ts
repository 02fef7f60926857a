/** Everything that reaches an actor is one of these: a client's command, an outcome of a call, a take-over's resumption. */
import type { PaymentRef } from "../identity/Identity.ts";
import type { CreateBody } from "./CreateBody.ts";
import type { GatewayOutcome, LookUpOutcome } from "./GatewayOutcome.ts";
import type { Given } from "./Given.ts";
import type { ReplyTo } from "./PaymentEvent.ts";

export interface Create {
  readonly type: "Create";
  readonly payment: PaymentRef;
  /** Defaults left out. */
  readonly body: CreateBody;
  readonly hash: string;
  readonly commandId: string;
  /** The stream position it came by. */
  readonly message: string;
  readonly replyTo?: ReplyTo;
  readonly given: Given;
}

/** What came of starting or resending a charge in the given round. */
export interface RecordOutcome {
  readonly type: "RecordOutcome";
  readonly payment: PaymentRef;
  readonly attempt: number;
  readonly round: number;
  readonly outcome: GatewayOutcome;
  readonly given: Given;
}

/** What a look-up in the given round answered. */
export interface RecordLookUp {
  readonly type: "RecordLookUp";
  readonly payment: PaymentRef;
  readonly attempt: number;
  readonly round: number;
  readonly outcome: LookUpOutcome;
  readonly given: Given;
}

/** A new owner goes on with what an earlier one left: its tries may have left, so a round of our own comes first. */
export interface Resume {
  readonly type: "Resume";
  readonly payment: PaymentRef;
  readonly given: Given;
}

export type PaymentCommand = Create | RecordOutcome | RecordLookUp | Resume;

/** The verbs clients may publish. */
export const clientVerbs = ["create", "authenticate", "capture", "void", "refund", "cancel"] as const;
