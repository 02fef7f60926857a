/**
 * The port through which money moves. A gateway never fails: whatever happens on the way is one of its outcomes, so
 * that no caller can mistake an exception for a decline.
 */
import type {
  GatewayOutcome,
  LookUpOutcome,
  OperationKind,
  OperationLookUpOutcome,
  OperationOutcome,
} from "@aegispay/core/payment/GatewayOutcome";
import type { Money } from "@aegispay/core/money/Money";
import type { Candidate } from "@aegispay/core/payment/Given";
import type { RoutingTable } from "@aegispay/core/routing/RoutingTable";
import { Context, type Effect } from "effect";
import type { Limits } from "./configuration/Limits.ts";
import type { Resilience } from "./configuration/Resilience.ts";
import type { ReadWebhook } from "./webhooks/Webhook.ts";

/** A charge to start. A resend carries the very same fields: they were announced in AttemptStarted (law 1). */
export interface StartRequest {
  /** At most 64 characters, derived from the payment's own record (law 3). */
  readonly idempotencyKey: string;
  /** `<merchant>/<payment>`: for people and reports, never evidence. */
  readonly reference: string;
  readonly amount: Money;
  readonly token: string;
  readonly capture: "automatic" | "manual";
  /** Where the customer comes back to from a page of the gateway or the bank. */
  readonly returnUrl?: string;
  /** Whom a stored card belongs to. */
  readonly customer?: { readonly id?: string; readonly email?: string; readonly phone?: string };
}

/** A charge to ask about: what was announced, since gateways differ in what they can be asked by. */
export interface LookUpRequest extends StartRequest {
  /** When its first try was announced, ISO 8601: nothing about it is older. */
  readonly startedAt: string;
  /** The charge's id at the gateway, where any answer has named it. */
  readonly gatewayTransactionId?: string;
}

/** An operation on a charge that is there; each has a key of its own, and a resend carries the very same fields. */
export interface OperationRequest {
  readonly kind: OperationKind;
  readonly idempotencyKey: string;
  /** The charge's id at the gateway. */
  readonly gatewayTransactionId: string;
  /** What to capture or to give back; a void releases all that is left. */
  readonly amount?: Money;
}

export interface Gateway {
  readonly name: string;
  /** Which of our accounts at this gateway: part of every intent, so that a look-up asks where the charge was made. */
  readonly account: string;
  /** Calls that it can have under way at once: more would only wait inside of it. Undefined: as many as there are. */
  readonly connections?: number;
  /** Starts a charge. Bounded in time by the adapter's own time-out. */
  readonly start: (request: StartRequest) => Effect.Effect<GatewayOutcome>;
  /** Asks what became of a charge: evidence is only what is found under its very key. Sends nothing that could charge. */
  readonly lookUp: (request: LookUpRequest) => Effect.Effect<LookUpOutcome>;
  /** Captures, voids or refunds. Bounded in time like `start`. */
  readonly operate: (request: OperationRequest) => Effect.Effect<OperationOutcome>;
  /** Asks what became of an operation, by its own key at its charge. */
  readonly lookUpOperation: (request: OperationRequest) => Effect.Effect<OperationLookUpOutcome>;
  /**
   * Hands on what the customer's browser brought back, where the gateway waits for it before it goes on with the charge.
   * Undefined where the gateway hears of it by itself. It belongs to the try that was announced, and is sent once.
   */
  readonly finishAction?: (request: LookUpRequest, brought: unknown) => Effect.Effect<LookUpOutcome>;
  /** Verifies and decodes what the gateway sends unasked; undefined where it sends nothing. Pure. */
  readonly readWebhook?: ReadWebhook;
  /**
   * Whose webhooks repeat the key, and not, or not signed, which payment it is of: those keys are remembered before they are
   * sent, one write each. Left out where a webhook names its payment.
   */
  readonly webhooksNameOnlyKeysOf?: ReadonlyArray<"charge" | OperationKind>;
}

/**
 * The gateways this deployment has, in the order in which they are tried. They may be replaced while payments run: whoever
 * needs one asks each time, and keeps nothing.
 */
export class Gateways extends Context.Service<
  Gateways,
  {
    readonly candidates: ReadonlyArray<Candidate>;
    /** How they are chosen among; without it they are tried in their order. */
    readonly routing?: RoutingTable | undefined;
    readonly find: (name: string, account: string) => Gateway | undefined;
    /** What surrounds the calls to it; the same object for as long as that is the same. Left out: the defaults. */
    readonly resilience?: (name: string, account: string) => Resilience | undefined;
    /** How much one gateway, or one merchant, may occupy. Left out: the defaults. */
    readonly limits?: () => Limits;
  }
>()("@aegispay/gateways/Gateways") {}
