/** What a client published, as it comes out of the queue, with nobody behind its ack. */
import type { Delivery } from "@aegispay/runtime/ingress/CommandQueue";
import { decodeCommand, type Decoded, type Refused } from "@aegispay/runtime/ingress/decodeCommand";
import { Effect } from "effect";
import { expect } from "vitest";
import { givenAt, payment } from "./paymentExamples.ts";

export interface Published {
  readonly body?: string | Uint8Array;
  readonly verb?: string;
  /** Where operators publish, instead of clients. */
  readonly source?: "internal";
  readonly headers?: Readonly<Record<string, string>>;
  readonly payment?: { readonly merchant: string; readonly paymentId: string };
  /** Its headers cannot be read at all. */
  readonly garbledHeaders?: true;
}

/** The stream position by which it is known where the client gave no id. */
export const message = "1767323045000/17";

export const wholeBody = { amount: { value: 1999, currency: "USD" }, method: { type: "card", token: "tok_visa" } };

const delivery = (published: Published): Delivery => {
  const { body = JSON.stringify(wholeBody) } = published;
  return {
    source: published.source ?? "command",
    shard: 3,
    epoch: 1,
    payment: published.payment ?? payment,
    verb: published.verb ?? "create",
    body: typeof body === "string" ? Buffer.from(body, "utf8") : body,
    header: (name) => published.headers?.[name],
    headerText: () =>
      published.garbledHeaders === true ? undefined : Object.values(published.headers ?? {}).join("\n"),
    sequence: 17,
    ack: () => undefined,
    erase: Effect.void,
    returnLater: () => undefined,
  };
};

export const decode = (published: Published): Decoded | Refused =>
  decodeCommand(delivery(published), message, givenAt());

/** The refusal of what must be refused, for a closer look. */
export const refusal = (published: Published, code: Refused["rejection"]["code"]): Refused => {
  const decoded = decode(published);
  if (decoded._tag !== "Refused") throw new Error(`was taken: ${JSON.stringify(decoded.command.body)}`);
  expect(decoded.rejection).toMatchObject({ code, retryable: false });
  expect(decoded.rejection.message.length).toBeLessThan(600);
  return decoded;
};
