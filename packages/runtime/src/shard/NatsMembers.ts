/** Who lives: each node keeps an entry of its own in the bucket `payments_members`, which forgets it with its TTL. */
import { Kvm, type KV } from "@nats-io/kv";
import { Effect, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { Leases, type LeaseHolder } from "./Leases.ts";

export interface Member extends LeaseHolder {
  /** ISO 8601. */
  readonly since: string;
}

export const layerNatsMembers = Layer.effectDiscard(
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    const { addresses } = yield* Deployment;
    const { leaseRenewMillis } = yield* Settings;
    const { me } = yield* Leases;
    const bucket = yield* natsRequest("opening the member bucket", () =>
      new Kvm(connection).open(addresses.buckets.members),
    );
    const member: Member = { ...me, since: new Date().toISOString() };
    const announce = Effect.ignore(natsRequest("announcing", () => bucket.put(me.node, JSON.stringify(member))));
    yield* Effect.addFinalizer(() => Effect.ignore(natsRequest("leaving", () => leave(bucket, me))));
    yield* announce;
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(leaseRenewMillis), announce)));
  }),
);

/** Deletes the entry if it is still this process's own. */
const leave = async (bucket: KV, me: LeaseHolder): Promise<void> => {
  const entry = await bucket.get(me.node);
  if (entry?.operation !== "PUT" || entry.json<Member>().incarnation !== me.incarnation) return;
  await bucket.delete(me.node, { previousSeq: entry.revision });
};
