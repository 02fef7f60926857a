/** A client of the benchmark: publishes creates singly, as clients do, and waits for each one's acknowledgement and answer. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { headers as newHeaders, nuid, type NatsConnection } from "@nats-io/nats-core";
import type { Fate } from "./fates.ts";
import { benchAmount, benchMerchant, benchRoot } from "./settings.ts";

/** When nothing is answered for this long, in milliseconds, the benchmark ends. */
const patienceMillis = 60_000;

const tokens: Readonly<Record<Fate, string>> = {
  approved: "tok_visa",
  declined: "tok_declined",
  answerLost: "tok_lost_answer",
};

const bodyOf = (fate: Fate): string =>
  JSON.stringify({ amount: benchAmount, method: { type: "card", token: tokens[fate] } });
const bodies = { approved: bodyOf("approved"), declined: bodyOf("declined"), answerLost: bodyOf("answerLost") };

/** What a payment must have come to. */
const ends: Readonly<Record<Fate, string>> = {
  approved: '"state":"SUCCESS"',
  declined: '"state":"FAILURE"',
  answerLost: '"state":"SUCCESS"',
};

interface Waiting {
  readonly end: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface Payer {
  /** Publishes a create and does not wait for its answer; done when it is accepted. */
  readonly publish: (paymentId: string) => Promise<void>;
  /** Done when the payment is accepted and answered, and came to what its fate says. */
  readonly pay: (paymentId: string, fate: Fate) => Promise<void>;
  readonly close: () => void;
}

export const openPayer = async (connection: NatsConnection): Promise<Payer> => {
  const addresses = makeAddressBook(benchRoot);
  const waiting = new Map<string, Waiting>();
  let answers = 0;
  const replies = connection.subscribe(addresses.reply(benchMerchant, "*"), {
    callback: (error, message) => {
      if (error !== null) return;
      answers++;
      const token = message.subject.slice(message.subject.lastIndexOf(".") + 1);
      const waits = waiting.get(token);
      if (waits === undefined) return;
      if (message.string().includes(waits.end)) waits.resolve();
      else waits.reject(new Error(`not as it must be: ${message.string()}`));
    },
  });
  await connection.flush();
  let answersBefore = -1;
  const watch = setInterval(() => {
    if (answers > answersBefore) return void (answersBefore = answers);
    for (const { reject } of waiting.values()) reject(new Error(`no payment was answered for ${patienceMillis} ms`));
  }, patienceMillis);

  const send = async (paymentId: string, fate: Fate, token: string): Promise<void> => {
    const payment = { merchant: benchMerchant, paymentId };
    const headers = newHeaders();
    headers.set("Aegis-Command-Id", token);
    headers.set("Aegis-Reply-To", token);
    headers.set("Nats-Msg-Id", `${benchMerchant}/${paymentId}/create/${token}`);
    const stored = await connection.request(addresses.command(payment, "create"), bodies[fate], {
      headers,
      timeout: patienceMillis,
    });
    if (stored.string().includes('"error"')) throw new Error(`a command was not accepted: ${stored.string()}`);
  };

  return {
    publish: (paymentId) => send(paymentId, "approved", nuid.next()),
    pay: async (paymentId, fate) => {
      const token = nuid.next();
      const answered = new Promise<void>((resolve, reject) => {
        waiting.set(token, { end: ends[fate], resolve, reject });
      });
      try {
        await Promise.all([send(paymentId, fate, token), answered]);
      } finally {
        waiting.delete(token);
      }
    },
    close: () => {
      clearInterval(watch);
      replies.unsubscribe();
    },
  };
};
