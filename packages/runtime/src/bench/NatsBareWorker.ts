/**
 * A worker of the bare hot path, as a process: the messages of a payment and nothing else. It takes commands, appends two
 * commits of the shape and size that the runtime writes, answers and acks. No Effect, no decisions, no Schema, no leases.
 */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { jetstream, jetstreamManager, type JsMsg } from "@nats-io/jetstream";
import { connect, nuid } from "@nats-io/transport-node";
import { headerLine, wireHeaders } from "../nats/wireHeaders.ts";
import { bareEpoch, bareOptionsVariable, type BareWorkerOptions } from "./BareWorkerOptions.ts";
import { benchRoot } from "./settings.ts";
import { makeBareCommits } from "./NatsBareCommits.ts";

const options = JSON.parse(process.env[bareOptionsVariable]!) as BareWorkerOptions;
const connection = await connect({ servers: options.url.split(","), noAsyncTraces: true });
const addresses = makeAddressBook(benchRoot);
const store = makeBareCommits(connection);
/** As long as a hash is. */
const hash = nuid.next().padEnd(64, "0");

const headersOf = (key: string, version: number, state: string, at: string, expectedSequence: number): string =>
  headerLine("ce-specversion", "1.0") +
  headerLine("ce-id", `${key}/${version}`) +
  headerLine("ce-type", `aegispay.payment.${state}.v1`) +
  headerLine("ce-source", "aegispay") +
  headerLine("ce-time", at) +
  headerLine("Aegis-Commit", nuid.next()) +
  headerLine("Nats-Expected-Last-Subject-Sequence", String(expectedSequence));

const pay = async (message: JsMsg): Promise<void> => {
  const address = addresses.parseDelivery(message.subject)!;
  const { payment } = address;
  const key = `${payment.merchant}/${payment.paymentId}`;
  const create = message.json<{ readonly amount: unknown }>();
  const { amount } = create;
  const commandId = message.headers!.get("Aegis-Command-Id");
  const token = message.headers!.get("Aegis-Reply-To");
  const at = new Date().toISOString();
  const gatewayTransactionId = `ch_ap_${hash.slice(0, 43)}`;
  const begun = {
    ...payment,
    state: "PROCESSING",
    events: [
      {
        version: 1,
        type: "PaymentInitiated",
        at,
        data: {
          create,
          commandId,
          message: `1795541853367/${message.seq}`,
          hash: hash.slice(0, 43),
          replyTo: { token, when: "completed" },
        },
      },
      { version: 2, type: "PaymentAuthenticated", at, data: { method: "none" } },
      {
        version: 3,
        type: "AttemptStarted",
        at,
        data: {
          attempt: 1,
          gateway: "instant",
          account: "default",
          why: "first",
          idempotencyKey: `ap_${hash.slice(0, 43)}`,
          request: { reference: key, amount, token: "tok_visa", capture: "automatic" },
        },
      },
    ],
    prev: hash,
  };
  const subject = addresses.append(payment);
  const first = await store(subject, JSON.stringify(begun), headersOf(key, 3, "PROCESSING", at, 0));
  const ended = {
    ...payment,
    state: "SUCCESS",
    events: [{ version: 4, type: "PaymentSucceeded", at, data: { attempt: 1, gatewayTransactionId, amount } }],
    prev: hash,
  };
  await store(subject, JSON.stringify(ended), headersOf(key, 4, "SUCCESS", at, first));
  const attempt = {
    number: 1,
    gateway: "instant",
    account: "default",
    status: "SUCCEEDED",
    startedAt: at,
    gatewayTransactionId,
  };
  const view = {
    ...payment,
    state: "SUCCESS",
    version: 4,
    amount,
    authorized: 1999,
    captured: 1999,
    refunded: 0,
    gateway: "instant",
    gatewayTransactionId,
    attempts: [attempt],
    createdAt: at,
    updatedAt: at,
  };
  message.ack();
  connection.publish(
    addresses.reply(payment.merchant, token),
    JSON.stringify({ ok: true, replayed: false, payment: view }),
    { headers: wireHeaders(headerLine("Aegis-Command-Id", commandId)) },
  );
};

const manager = await jetstreamManager(connection);
for (const shard of options.shards) {
  const name = addresses.epochConsumer("command", shard, bareEpoch);
  const stream = addresses.streams.commands;
  await manager.consumers.add(stream, {
    durable_name: name,
    filter_subject: addresses.shardSubject("command", shard),
    ack_policy: "explicit",
    ack_wait: 300e9,
    max_ack_pending: options.shardWindow,
  });
  const consumer = await jetstream(connection).consumers.get(stream, name);
  await consumer.consume({ max_messages: options.shardWindow, callback: (message) => void pay(message) });
}
process.send?.("ready");
// It ends with whoever started it.
process.once("disconnect", () => void connection.close().then(() => process.exit(0)));
