/**
 * Who lives, in the bucket `payments_members`, which forgets an entry with its TTL. Announcements are heard as what they
 * are, messages on the bucket's subjects: nothing has to be kept alive or made anew when the server was away.
 */
import { Kvm, type KV } from "@nats-io/kv";
import type { Msg } from "@nats-io/nats-core";
import { Clock, Effect, Layer, Option, Schema } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { Leases, type LeaseHolder } from "./Leases.ts";
import { Members, type Member } from "./Members.ts";

const decodeHolder = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ pid: Schema.Int, host: Schema.String, incarnation: Schema.String })),
);

/** Deletes the entry if it is still this process's own. */
const deleteOwn = async (bucket: KV, me: LeaseHolder): Promise<void> => {
  const entry = await bucket.get(me.node);
  if (entry?.operation !== "PUT" || entry.json<Member>().incarnation !== me.incarnation) return;
  await bucket.delete(me.node, { previousSeq: entry.revision });
};

const make = Effect.gen(function* () {
  const { connection, onReconnect } = yield* Nats;
  const { addresses } = yield* Deployment;
  const { leaseRenewMillis, leaseTtlMillis } = yield* Settings;
  const { me } = yield* Leases;
  const clock = yield* Clock.Clock;
  const name = addresses.buckets.members;
  const bucket = yield* natsRequest("opening the member bucket", () => new Kvm(connection).open(name));
  const subjectPrefix = `$KV.${name}.`;
  const member: Member = { ...me, since: new Date(clock.currentTimeMillisUnsafe()).toISOString() };
  /** When each was last heard, on the monotonic clock, in milliseconds. */
  const heard = new Map<string, number>();
  const now = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6;
  const fork = Effect.runForkWith(yield* Effect.context());
  let leaving = false;

  const hear = (node: string, operation: string | undefined): void => {
    if (operation === "DEL" || operation === "PURGE") heard.delete(node);
    else heard.set(node, now());
  };

  /** Two processes of one name take each other's shards for their own: neither would serve all that it owns. */
  let warnedAt = Number.NEGATIVE_INFINITY;
  const warnOfTwin = (message: Msg): void => {
    const other = Option.getOrUndefined(decodeHolder(message.string()));
    if (other === undefined || other.incarnation === me.incarnation || now() - warnedAt < leaseTtlMillis) return;
    warnedAt = now();
    const where = `pid ${other.pid} on ${other.host}`;
    fork(Effect.logError(`another node, ${where}, is named ${me.node} too: give each node group its own --node-id`));
  };

  const announce = Effect.suspend(() =>
    leaving ? Effect.void : Effect.ignore(natsRequest("announcing", () => bucket.put(me.node, JSON.stringify(member)))),
  );

  /** Those who announced themselves before this node listened, or while its connection was away. */
  const readAll = natsRequest("reading the members", async () => {
    for await (const node of await bucket.keys()) if (!heard.has(node)) heard.set(node, now());
  });

  yield* Effect.acquireRelease(
    Effect.sync(() =>
      connection.subscribe(`${subjectPrefix}*`, {
        callback: (error, message) => {
          if (error !== null) return;
          const node = message.subject.slice(subjectPrefix.length);
          const operation = message.headers?.get("KV-Operation") || undefined;
          if (node === me.node && operation === undefined) warnOfTwin(message);
          hear(node, operation);
        },
      }),
    ),
    (subscription) => Effect.sync(() => subscription.unsubscribe()),
  );
  yield* readAll;
  const stopListening = onReconnect(() => void fork(Effect.ignore(Effect.andThen(announce, readAll))));
  const leave = Effect.andThen(
    Effect.sync(() => void (leaving = true)),
    Effect.ignore(natsRequest("leaving", () => deleteOwn(bucket, me))),
  );
  yield* Effect.addFinalizer(() => Effect.andThen(Effect.sync(stopListening), leave));
  yield* announce;
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(leaseRenewMillis), announce)));

  return Members.of({
    live: () => {
      const since = now() - leaseTtlMillis;
      for (const [node, at] of heard) if (at < since) heard.delete(node);
      const live = new Set(heard.keys());
      if (leaving) live.delete(me.node);
      else live.add(me.node);
      return live;
    },
    leave,
  });
});

export const layerNatsMembers = Layer.effect(Members, make);
