/** Load: clients that insist on an answer, each with one payment under way at a time. */
import type { NatsConnection } from "@nats-io/transport-node";
import { createBody, insist, type PlainReply } from "./plainClient.ts";

const tokens = ["tok_visa", "tok_visa", "tok_lost_answer", "tok_reset", "tok_declined", "tok_visa"];

export interface Answered {
  readonly payment: string;
  readonly token: string;
  readonly reply: PlainReply;
  /** From the first publish to the answer. */
  readonly millis: number;
}

export interface LoadOptions {
  /** Of the payments' ids. */
  readonly prefix?: string;
  readonly lanes?: number;
  readonly tokens?: ReadonlyArray<string>;
}

/** How a payment of this token must end. */
export const endOf = (token: string): string => (token === "tok_declined" ? "FAILURE" : "SUCCESS");

/** Lanes of clients, each with one payment under way at a time, until told to stop. */
export const startLoad = (deployment: { readonly connection: NatsConnection }, options: LoadOptions = {}) => {
  const { prefix = "load", lanes = 32 } = options;
  const mix = options.tokens ?? tokens;
  const answered: Array<Answered> = [];
  /** When each was first published, by `<merchant>/<payment>`. */
  const begun = new Map<string, number>();
  let stopped = false;
  let index = 0;
  const lane = async () => {
    while (!stopped) {
      const payment = `${prefix}-${index++}`;
      const token = mix[index % mix.length]!;
      const startedAt = Date.now();
      begun.set(`shop/${payment}`, startedAt);
      const reply = await insist(deployment.connection, { payment, body: createBody(token) });
      answered.push({ payment, token, reply, millis: Date.now() - startedAt });
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, lane));
  return {
    answered,
    begun,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
};
