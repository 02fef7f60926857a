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
  readonly labels: Readonly<Record<string, string>>;
}

const networkKey = "cardNetwork";

/** `labels`: what an enrich hook says of the payment; it knows the card's network better than the client's metadata does. */
export const factsOf = (
  { merchant }: PaymentRef,
  { amount, customer, metadata, gateway }: CreateBody,
  labels: PaymentFacts["labels"] = {},
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
  };
};
