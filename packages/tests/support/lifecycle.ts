/**
 * A payment's whole life as a plain client leads it, with the gateway's ledger to judge it by. All payments are of the
 * merchant `shop`, of 100 minor units unless said otherwise.
 */
import type { NatsConnection } from "@nats-io/transport-node";
import { eventually } from "./eventually.ts";
import { readLedger, type LedgerCharge } from "./ledger.ts";
import { createBody, insist, query, type PlainPayment, type PlainReply } from "./plainClient.ts";

export interface Place {
  readonly connection: NatsConnection;
  readonly simulator: string;
}

export const money = (value: number, currency = "USD") => ({ value, currency });

interface CreateOptions {
  readonly token?: string;
  readonly capture?: "automatic" | "manual";
  readonly value?: number;
  readonly expiresAt?: string;
}

export const lifecycleAt = ({ connection, simulator }: Place) => {
  const create = (payment: string, options: CreateOptions = {}): Promise<PlainReply> => {
    const { token, value = 100, ...rest } = options;
    return insist(connection, { payment, body: { ...createBody(token, value), ...rest } });
  };

  /** Asks until it is answered, each time under the same command id. */
  const order = (verb: string, payment: string, body: unknown, commandId: string): Promise<PlainReply> =>
    insist(connection, { payment, verb, body, headers: { "Aegis-Command-Id": commandId } });

  const view = async (payment: string): Promise<PlainPayment> => {
    const { payment: found } = await query(connection, payment, "get");
    if (found === undefined) throw new Error(`there is no payment ${payment}`);
    return found;
  };

  const charges = async (payment: string): Promise<ReadonlyArray<LedgerCharge>> =>
    (await readLedger(simulator)).filter(({ reference }) => reference === `shop/${payment}`);

  const post = async (path: string, body: unknown = {}): Promise<number> => {
    const response = await fetch(`${simulator}${path}`, { method: "POST", body: JSON.stringify(body) });
    await response.text();
    return response.status;
  };

  return {
    create,
    order,
    view,
    charges,
    post,
    capture: (payment: string, value: number | undefined, commandId: string) =>
      order("capture", payment, value === undefined ? {} : { amount: money(value) }, commandId),
    refund: (payment: string, value: number | undefined, commandId: string) =>
      order("refund", payment, value === undefined ? {} : { amount: money(value) }, commandId),
    release: (payment: string, commandId: string) => order("void", payment, {}, commandId),
    cancel: (payment: string, commandId: string) => order("cancel", payment, {}, commandId),
    authenticate: (payment: string, commandId: string) => order("authenticate", payment, { result: "back" }, commandId),
    /** The charge of the payment's own attempt. */
    charge: async (payment: string): Promise<LedgerCharge> => {
      const { gatewayTransactionId } = await view(payment);
      const found = (await charges(payment)).find(({ id }) => id === gatewayTransactionId);
      if (found === undefined) throw new Error(`the ledger knows no charge ${gatewayTransactionId} of ${payment}`);
      return found;
    },
    /** The types of its events, in order. */
    events: async (payment: string): Promise<ReadonlyArray<string>> =>
      (await query(connection, payment, "events")).events!.map(({ type }) => type),
    until: (payment: string, what: string, isSo: (found: PlainPayment) => boolean): Promise<PlainPayment> =>
      eventually(`${payment}: ${what}`, async () => {
        const found = (await query(connection, payment, "get")).payment;
        return found !== undefined && isSo(found) && found;
      }),
  };
};
export type Lifecycle = ReturnType<typeof lifecycleAt>;

/** What a payment says about its money, and what the gateway's ledger says about it: the two must be equal. */
export const moneyOf = async (life: Lifecycle, payment: string) => {
  const { captured, refunded } = await life.view(payment);
  const charges = await life.charges(payment);
  const sum = (of: (charge: LedgerCharge) => number) => charges.reduce((all, charge) => all + of(charge), 0);
  return {
    ours: { captured, refunded },
    gateways: { captured: sum((c) => c.captured), refunded: sum((c) => c.refunded) },
  };
};
