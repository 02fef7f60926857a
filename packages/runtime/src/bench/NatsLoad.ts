/** The load of the benchmark: creates published singly, as clients do, and a clock on each until its answer is there. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { headers as newHeaders, nuid, type NatsConnection } from "@nats-io/nats-core";
import { quantile } from "../metrics/quantile.ts";
import { benchMerchant, benchRoot, type Load, type Measured } from "./settings.ts";

const body = JSON.stringify({ amount: { value: 1999, currency: "USD" }, method: { type: "card", token: "tok_visa" } });
/** When nothing is answered for this long, in milliseconds, the benchmark ends. */
const patienceMillis = 60_000;

export const saturate = async (connection: NatsConnection, { payments, inFlight }: Load): Promise<Measured> => {
  const addresses = makeAddressBook(benchRoot);
  const run = nuid.next();
  const waiting = new Map<string, { readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  const replies = connection.subscribe(addresses.reply(benchMerchant, "*"), {
    callback: (error, message) => {
      if (error !== null) return;
      const token = message.subject.slice(message.subject.lastIndexOf(".") + 1);
      const waits = waiting.get(token);
      if (message.string().includes('"state":"SUCCESS"')) waits?.resolve();
      else waits?.reject(new Error(`not as it must be: ${message.string()}`));
    },
  });
  await connection.flush();

  const pay = async (paymentId: string): Promise<number> => {
    const token = nuid.next();
    const payment = { merchant: benchMerchant, paymentId };
    const headers = newHeaders();
    headers.set("Aegis-Command-Id", token);
    headers.set("Aegis-Reply-To", token);
    headers.set("Nats-Msg-Id", `${benchMerchant}/${paymentId}/create/${token}`);
    const begun = performance.now();
    const answered = new Promise<void>((resolve, reject) => waiting.set(token, { resolve, reject }));
    try {
      const ack = connection.request(addresses.command(payment, "create"), body, { headers, timeout: patienceMillis });
      const [stored] = await Promise.all([ack, answered]);
      if (stored.string().includes('"error"')) throw new Error(`a command was not accepted: ${stored.string()}`);
      return performance.now() - begun;
    } finally {
      waiting.delete(token);
    }
  };

  let next = 0;
  const times: Array<number> = [];
  const lane = async (): Promise<void> => {
    while (next < payments) times.push(await pay(`${run}-${next++}`));
  };
  let answeredBefore = -1;
  const watch = setInterval(() => {
    if (times.length > answeredBefore) return void (answeredBefore = times.length);
    for (const { reject } of waiting.values()) reject(new Error(`no payment was answered for ${patienceMillis} ms`));
  }, patienceMillis);
  const begun = performance.now();
  try {
    await Promise.all(Array.from({ length: Math.min(inFlight, payments) }, lane));
  } finally {
    clearInterval(watch);
    replies.unsubscribe();
  }
  const seconds = (performance.now() - begun) / 1_000;
  times.sort((left, right) => left - right);
  return { rate: payments / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
};
