/** What gateways have sent, as an operator reads it: the kept ones by their sequence, and the last refused ones. */
import { Kvm } from "@nats-io/kv";
import { Effect } from "effect";
import { directBatch } from "../nats/directBatch.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { readHeadersLine, readRefused, receivedHeader, webhookHeadersHeader } from "./storedWebhook.ts";
import type { RawWebhook } from "./WebhookStore.ts";

export interface KeptWebhook {
  /** Its sequence in the stream, or its revision among the refused ones. */
  readonly id: number;
  readonly verdict: "genuine" | "unreadable" | "refused";
  readonly raw: RawWebhook;
  /** Of a refused one. */
  readonly reason?: string;
}

/** Kept ones that are read by one request: each has at most a megabyte. */
const page = 10;

/** The kept ones after an id, oldest first; `gateway`: a name, or `*` for all. */
export const listWebhooks = Effect.fnUntraced(function* (gateway: string, after: number, limit: number) {
  const { connection } = yield* Nats;
  const { addresses } = yield* Deployment;
  const { webhooks: stream } = addresses.streams;
  const subject = addresses.patterns.webhooks.replace("*", gateway);
  const found: Array<KeptWebhook> = [];
  for (let from = after + 1; found.length < limit;) {
    const messages = yield* natsRequest("reading the webhooks", () =>
      directBatch(connection, stream, from, subject, Math.min(page, limit - found.length)),
    );
    for (const { sequence, headers, data } of messages) {
      const [, , name = "", verdict = ""] = headers.get("Nats-Subject").split(".");
      const receivedAt = Date.parse(headers.get(receivedHeader));
      const raw = {
        gateway: name,
        rawBody: data,
        headers: readHeadersLine(headers.get(webhookHeadersHeader)),
        receivedAt,
      };
      found.push({ id: sequence, verdict: verdict === "unreadable" ? "unreadable" : "genuine", raw });
    }
    if (messages.length < page) return found;
    from = messages.at(-1)!.sequence + 1;
  }
  return found;
});

/** The last refused ones of each gateway, or of one, oldest first. */
export const listRefused = Effect.fnUntraced(function* (gateway: string) {
  const { connection } = yield* Nats;
  const { addresses } = yield* Deployment;
  return yield* natsRequest("reading the refused webhooks", async () => {
    const bucket = await new Kvm(connection).open(addresses.buckets.refusedWebhooks);
    const found: Array<KeptWebhook> = [];
    for await (const entry of await bucket.history({ key: gateway === "*" ? ">" : gateway })) {
      const refused = entry.operation === "PUT" ? readRefused(entry.key, entry.string()) : undefined;
      if (refused !== undefined) found.push({ id: entry.revision, verdict: "refused", ...refused });
    }
    return found;
  });
});
