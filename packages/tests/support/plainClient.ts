/** A client of the deployment that knows nothing but NATS and CONTRACT's subjects: what any language could write. */
import { jetstream } from "@nats-io/jetstream";
import { headers, nuid, type NatsConnection } from "@nats-io/transport-node";

export interface PlainOperation {
  readonly number: number;
  readonly purpose: string;
  readonly commandId?: string;
  readonly amount?: { readonly value: number; readonly currency: string };
  readonly status: "PENDING" | "SUCCEEDED" | "FAILED" | "UNKNOWN";
  readonly failure?: { readonly code: string };
}

export interface PlainPayment {
  readonly merchant: string;
  readonly paymentId: string;
  readonly state: string;
  readonly version: number;
  readonly amount: { readonly value: number; readonly currency: string };
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
  readonly refundProgress: "none" | "partial" | "full";
  readonly gateway?: string;
  readonly gatewayTransactionId?: string;
  readonly failure?: { readonly code: string; readonly declineCode?: string };
  readonly nextAction?: { readonly type: string; readonly url: string };
  readonly attempts: ReadonlyArray<{ readonly number: number; readonly status: string }>;
  readonly captures: ReadonlyArray<PlainOperation>;
  readonly voids: ReadonlyArray<PlainOperation>;
  readonly refunds: ReadonlyArray<PlainOperation>;
  readonly review?: string;
  readonly expiresAt?: string;
}

export interface PlainReply {
  readonly ok: boolean;
  readonly replayed: boolean;
  readonly payment?: PlainPayment;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

export interface Command {
  readonly merchant?: string;
  readonly payment: string;
  readonly verb?: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const createBody = (token = "tok_visa", value = 1999) => ({
  amount: { value, currency: "USD" },
  method: { type: "card", token },
});

export const encodeBody = (body: unknown): Uint8Array | string =>
  body instanceof Uint8Array || typeof body === "string" ? body : JSON.stringify(body);

export const subjectOf = ({ merchant = "shop", payment, verb = "create" }: Command): string =>
  `payments.command.${merchant}.${payment}.${verb}`;

/** Publishes durably and waits for nobody. Answers JetStream's acknowledgement. */
export const publish = (connection: NatsConnection, command: Command) => {
  const sent = headers();
  for (const [name, value] of Object.entries(command.headers ?? {})) sent.set(name, value);
  return jetstream(connection).publish(subjectOf(command), encodeBody(command.body), { headers: sent });
};

/** Publishes with a reply token and waits for the answer on the reply subject. */
export const ask = async (
  connection: NatsConnection,
  command: Command,
  timeoutMillis = 30_000,
): Promise<PlainReply> => {
  const token = nuid.next();
  const subscription = connection.subscribe(`payments.reply.${command.merchant ?? "shop"}.${token}`, { max: 1 });
  const timer = setTimeout(() => subscription.unsubscribe(), timeoutMillis);
  try {
    await publish(connection, { ...command, headers: { "Aegis-Reply-To": token, ...command.headers } });
    for await (const message of subscription) return message.json<PlainReply>();
    throw new Error(`no answer within ${timeoutMillis} ms to ${subjectOf(command)}`);
  } finally {
    clearTimeout(timer);
    subscription.unsubscribe();
  }
};

/**
 * Asks until it is answered, as any client must: no acknowledgement or no answer in time means to send it again with the
 * same id. A pause between tries, so that a connection that is away is not hammered.
 */
export const insist = async (
  connection: NatsConnection,
  command: Command,
  timeoutMillis = 90_000,
): Promise<PlainReply> => {
  const until = Date.now() + timeoutMillis;
  for (;;) {
    try {
      return await ask(connection, command, 5_000);
    } catch (cause) {
      if (Date.now() > until) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
};

export const query = async (
  connection: NatsConnection,
  payment: string,
  kind: "get" | "events",
  body: unknown = {},
  merchant = "shop",
) =>
  (
    await connection.request(`payments.query.${merchant}.${payment}.${kind}`, JSON.stringify(body), { timeout: 5_000 })
  ).json<{
    readonly ok: boolean;
    readonly payment?: PlainPayment;
    readonly events?: ReadonlyArray<{
      readonly version: number;
      readonly type: string;
      readonly at: string;
      readonly data: unknown;
    }>;
    readonly next?: number;
    readonly remembered?: boolean;
    readonly error?: { readonly code: string; readonly message: string };
  }>();
