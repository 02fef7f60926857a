/**
 * What gateways that cannot be asked have signed about our keys, in the stream PAYMENTS_EVIDENCE. Read at the stream's leader:
 * a follower that was cut off would say that a gateway has said nothing, and the same request would be sent again.
 */
import { ReceivedNotifications } from "@aegispay/gateways/webhooks/ReceivedNotifications";
import type { Notification } from "@aegispay/gateways/webhooks/Webhook";
import { Effect, Layer } from "effect";
import { nextAtLeader } from "../nats/leaderRead.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";

export const layerNatsReceivedNotifications = Layer.effect(
  ReceivedNotifications,
  Effect.gen(function* () {
    const { manager } = yield* Nats;
    const { addresses } = yield* Deployment;
    const stream = addresses.streams.evidence;

    const read = async (subject: string): Promise<ReadonlyArray<Notification>> => {
      const found: Array<Notification> = [];
      for (let from = 1; ;) {
        const message = await nextAtLeader(manager, stream, from, subject);
        if (message === null) return found;
        found.push(message.json<Notification>());
        from = message.seq + 1;
      }
    };

    return {
      // "Nothing was said" would be evidence of a kind: an error must not be taken for it.
      about: (gateway, account, key) =>
        Effect.orDie(
          natsRequest("reading what a gateway has signed", () => read(addresses.evidence(gateway, account, key))),
        ),
    };
  }),
);
