/** What the conformance suite examines: an adapter at a stand-in, and how the two are told to do something. */
import type { Gateway, LookUpRequest, OperationRequest, StartRequest } from "@aegispay/gateways/Gateway";
import type { Notification, WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import type { Effect, Scope } from "effect";
import type { Fault } from "./StandInServer.ts";

export interface BookedCharge {
  readonly key: string;
  readonly captured: number;
  readonly refunded: number;
  readonly isHeld: boolean;
}

export interface Subject {
  readonly gateway: Gateway;
  /** Strikes the next request that moves money, or one after it. */
  readonly fault: (fault: Fault, skipped?: number) => void;
  /** Minutes go by, as far as the gateway knows. */
  readonly timePasses: Effect.Effect<void>;
  /** From now on the gateway books and reports another amount than it is asked for. */
  readonly bookAnotherAmount: () => void;
  /** The customer passes 3-D Secure, and comes back. */
  readonly authenticate: Effect.Effect<void>;
  /** What is held or taken under the key. */
  readonly booked: Effect.Effect<ReadonlyArray<BookedCharge>>;
  /** What the gateway has to say unasked arrives, is verified and kept. Nothing, for a gateway that says nothing. */
  readonly notify: Effect.Effect<ReadonlyArray<Notification>>;
  /** The webhooks that the gateway would send now, signed. */
  readonly webhooks: () => ReadonlyArray<WebhookDelivery>;
}

/** What is true of this gateway and not of every one. */
export interface Traits {
  readonly name: string;
  readonly tokens: {
    readonly approved: string;
    readonly insufficientFunds: string;
    readonly moveOn: string;
    readonly action?: string;
  };
  /** "lookUp": it finds a charge by its key. "sameKey": only the same request under its key is answered. */
  readonly asks: "lookUp" | "sameKey";
  /** The requests that move money of one charge, in their order. */
  readonly posts: ReadonlyArray<string>;
  readonly hasVoid: boolean;
  readonly hasPartialCapture: boolean;
  /** Whether the answer to an operation says that it is done, or only a webhook does. */
  readonly operations: "atOnce" | "byWebhook";
  /** How a forger would change a signed body so that it means more; undefined where the gateway sends nothing. */
  readonly forge?: (body: string) => string;
  /** Whether a signature is good for a bounded time only. */
  readonly signaturesAge: boolean;
  readonly currency: string;
}

export type MakeSubject = Effect.Effect<Subject, never, Scope.Scope>;

export const chargeOf = (traits: Traits, key: string, changes: Partial<StartRequest> = {}): StartRequest => ({
  idempotencyKey: key,
  reference: "shop/order-1",
  amount: { value: 1999, currency: traits.currency },
  token: traits.tokens.approved,
  capture: "automatic",
  returnUrl: "https://shop.example/back",
  customer: { id: "cust_1", email: "ada@shop.example", phone: "+910000000000" },
  ...changes,
});

export const asked = (request: StartRequest, gatewayTransactionId?: string): LookUpRequest => ({
  ...request,
  startedAt: new Date().toISOString(),
  ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
});

export const operationOn = (
  gatewayTransactionId: string,
  kind: OperationRequest["kind"],
  key: string,
  amount?: StartRequest["amount"],
): OperationRequest => ({
  kind,
  idempotencyKey: key,
  gatewayTransactionId,
  ...(amount === undefined ? {} : { amount }),
});
