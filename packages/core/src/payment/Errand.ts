/**
 * What the payment has asked of a gateway under one key, and does not rest about until it knows what came of it: a charge
 * (an attempt), a capture, a void, a refund. The laws of tries and rounds are the same for all of them.
 */
import type { Schema } from "effect";
import type { OperationKind } from "./GatewayOutcome.ts";
import type { ChargeRequest, Failure } from "./PaymentEvent.ts";
import type { RecordedMoney } from "./eventShape.ts";
import type { Purpose } from "./operationEvents.ts";
import type { RecordedRoute } from "./RecordedRoute.ts";

/** What is owed next for an errand: `round` 0 is the first try; each later round was a commit of its own. */
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

interface Asked {
  /** Of attempts, or of operations: each is counted by itself. */
  readonly number: number;
  readonly idempotencyKey: string;
  readonly startedAt: string;
  /** PENDING: no try may have left but the one under way. UNKNOWN: one may have (law 4). */
  readonly status: "PENDING" | "SUCCEEDED" | "FAILED" | "UNKNOWN";
  /** The number of the latest round; 0 is the first try. */
  readonly lastRound: number;
  /**
   * How often the request was announced for sending, the first try and every resend, and not held back (criterion 20 bounds
   * it).
   */
  readonly tries: number;
  /** What is owed for it; undefined when nothing is, or when the same commit says what follows. */
  readonly round: Round | undefined;
  readonly failure?: Failure;
  /** Why people are to look at it, where that is not the payment's whole state; nothing is sent for it any more. */
  readonly review?: string;
  /** It was settled by an operator and not by the gateway: the gateway is still asked, for as long as it knows the key. */
  readonly isDoubtful?: true;
}

export interface Attempt extends Asked {
  readonly gateway: string;
  readonly account: string;
  readonly request: ChargeRequest;
  /** Why this gateway, in a few words, and where there was a choice, all that spoke for and against each. */
  readonly why: string;
  readonly route?: RecordedRoute;
  readonly gatewayTransactionId?: string;
  /** What its customer came back with, and the gateway waits for. */
  readonly brought?: Schema.Json;
  /** Whether the rules of the field let the payment go on to another gateway after this attempt failed. */
  readonly mayMoveOn?: boolean;
  /** It succeeded although it is not the payment's: what undoes that has been asked for. */
  readonly isLate?: true;
}

export interface Operation extends Asked {
  readonly kind: OperationKind;
  /** The attempt whose charge it is for. */
  readonly attempt: number;
  /**
   * Who wants it: a client's command (a client's cancel is told apart, since it ends otherwise), an expiry, or the
   * compensation of a success that came late.
   */
  readonly purpose: Purpose;
  readonly gatewayTransactionId: string;
  /** A void has none: it releases all that is left. */
  readonly amount?: RecordedMoney;
  readonly reason?: string;
  readonly commandId?: string;
  readonly operationId?: string;
}

export type Errand = Attempt | Operation;

export const isOperation = (errand: Errand): errand is Operation => "kind" in errand;

/** Its outcome is still to come. */
export const isOpen = ({ status }: Errand): boolean => status === "PENDING" || status === "UNKNOWN";
