/** What routing knows of a payment. Nothing in it changes from one attempt to the next. */
import type { PaymentRef } from "../identity/Identity.ts";
import type { CreateBody } from "../payment/CreateBody.ts";

export interface PaymentFacts {
  readonly merchant: string;
  /** Minor units. */
  readonly amount: { readonly value: number; readonly currency: string };
  /** Of the customer: two capital letters. */
  readonly country?: string;
  /** Of the card, lower case. */
  readonly network?: string;
  /** The gateway that the client would like. */
  readonly preferred?: string;
  /** Gateways that a route hook puts first, in its order. */
  readonly hookOrder?: ReadonlyArray<string>;
  readonly labels: Readonly<Record<string, string>>;
}

const networkKey = "cardNetwork";

/** What was asked for, and what hooks have said of it. */
export interface RoutedOrder {
  readonly create: CreateBody;
  readonly labels?: PaymentFacts["labels"];
  readonly gatewayOrder?: ReadonlyArray<string>;
}

/** An enrich hook knows the card's network better than the client's metadata does. */
export const factsOf = (
  { merchant }: PaymentRef,
  { create: { amount, customer, metadata, gateway }, labels = {}, gatewayOrder }: RoutedOrder,
): PaymentFacts => {
  const country = customer?.country?.toUpperCase();
  const network = (labels[networkKey] ?? metadata?.[networkKey])?.toLowerCase();
  return {
    merchant,
    amount,
    labels,
    ...(country === undefined ? {} : { country }),
    ...(network === undefined ? {} : { network }),
    ...(gateway === undefined ? {} : { preferred: gateway }),
    ...(gatewayOrder === undefined ? {} : { hookOrder: gatewayOrder }),
  };
};
