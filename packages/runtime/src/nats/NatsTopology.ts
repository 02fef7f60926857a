/**
 * The streams and buckets of a deployment: made once by `setup`, checked by every node at its start. What a running
 * deployment cannot change (the shard count above all) is refused, not adjusted.
 */
import { makeAddressBook, type AddressBook } from "@aegispay/core/addresses/AddressBook";
import type { JetStreamManager, StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { nuid } from "@nats-io/nats-core";
import { Context, Data, Effect, Layer } from "effect";
import { Nats, natsRequest } from "./NatsConnection.ts";

export interface TopologyWish {
  readonly root: string;
  readonly shards: number;
  /** Undefined: as it is, or 1 where nothing is yet. */
  readonly replicas: number | undefined;
  readonly leaseTtlMillis: number;
}

/** What a deployment is, read from its event stream. */
export class Deployment extends Context.Service<
  Deployment,
  {
    readonly addresses: AddressBook;
    readonly shards: number;
    /** Random, made at set-up: part of every gateway key (law 3). */
    readonly deployment: string;
    /** When the command stream was made, in milliseconds: part of the identity of a command that brings none. */
    readonly commandStreamCreated: number;
  }
>()("@aegispay/runtime/Deployment") {}

export class TopologyMismatch extends Data.TaggedError("TopologyMismatch")<{ readonly message: string }> {}

const metadataKeys = { deployment: "aegispay.deployment", shards: "aegispay.shards" } as const;

const seconds = (value: number): number => value * 1e9;

/** Life of what a node has said about the gateways' health: ages with the window that it is part of. */
const healthTtlMillis = 30_000;

/** Recovery reports kept of each shard. */
const keptRecoveries = 8;

/** How long what gateways sent is kept, in days: it may hold personal data, and gateways repeat for three. */
const webhooksKeptDays = 7;
/** How long a key is known to be a payment's, in days: longer than any gateway reports on a charge. */
const gatewayKeysKeptDays = 180;
/** Refused webhooks kept of each gateway. */
const keptRefusals = 20;
/** The most that all kept webhooks take on the disk, in bytes. */
const webhooksMaxBytes = 256 * 1024 * 1024;
/** Messages of one key: a gateway that says more about it repeats itself. */
const evidenceMaxOfKey = 100;

const daysMillis = (days: number): number => days * 86_400_000;

/** A command has at most 64 KiB; the stream leaves room for headers and for a node to answer what is too large. */
const maxCommandBytes = 256 * 1024;

const streamConfigs = (
  addresses: AddressBook,
  wish: TopologyWish,
  deployment: string,
): ReadonlyArray<Partial<StreamConfig>> => {
  const { streams, patterns, root } = addresses;
  const common = {
    storage: "file",
    discard: "new",
    num_replicas: wish.replicas ?? 1,
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
  } as const;
  return [
    {
      ...common,
      name: streams.commands,
      description: "payment commands, a work queue by shard",
      subjects: [patterns.commands, patterns.internals],
      retention: "workqueue",
      duplicate_window: seconds(30),
      max_msg_size: maxCommandBytes,
      subject_transform: patterns.commandToShard(wish.shards),
      metadata: { [metadataKeys.shards]: String(wish.shards) },
    },
    {
      ...common,
      name: streams.events,
      description: "the payments' logs: one message a commit",
      subjects: [patterns.appends],
      retention: "limits",
      duplicate_window: seconds(0.1),
      allow_direct: true,
      allow_atomic: true,
      deny_delete: true,
      deny_purge: true,
      subject_transform: patterns.appendToEvent,
      republish: { src: patterns.events, dest: `${root}.event.{{wildcard(1)}}.{{wildcard(2)}}` },
      metadata: { [metadataKeys.deployment]: deployment, [metadataKeys.shards]: String(wish.shards) },
    },
    {
      ...common,
      // What fires stays until its owner acks it. No publisher but a node may reach this stream: schedules force roll-ups on.
      name: streams.timers,
      description: "armed timers, and what is due, a work queue by shard",
      subjects: [patterns.timers, patterns.dues],
      retention: "workqueue",
      // The server takes no schedules together with discard "new"; without a limit nothing is discarded either way.
      discard: "old",
      duplicate_window: seconds(0.1),
      allow_direct: true,
      allow_msg_schedules: true,
      subject_transform: patterns.dueToShard(wish.shards),
      metadata: { [metadataKeys.shards]: String(wish.shards) },
    },
    {
      ...common,
      name: streams.dead,
      description: "parked commands and payments",
      subjects: [patterns.dead],
      retention: "limits",
      duplicate_window: seconds(30),
      allow_direct: true,
    },
    {
      ...common,
      name: streams.webhooks,
      description: "what gateways sent, as it came, for a few days",
      subjects: [patterns.webhooks],
      retention: "limits",
      discard: "old",
      max_age: seconds(daysMillis(webhooksKeptDays) / 1000),
      max_bytes: webhooksMaxBytes,
      duplicate_window: seconds(0.1),
      allow_direct: true,
    },
    {
      ...common,
      name: streams.evidence,
      description: "what gateways that cannot be asked have signed about our keys",
      subjects: [patterns.evidence],
      retention: "limits",
      discard: "old",
      max_msgs_per_subject: evidenceMaxOfKey,
      duplicate_window: seconds(0.1),
    },
  ] as ReadonlyArray<Partial<StreamConfig>>;
};

/** What must be as wished in a stream that is there; a difference in anything else is an operator's choice. */
const differences = (wished: Partial<StreamConfig>, found: StreamConfig): ReadonlyArray<string> => {
  const keys = [
    "subjects",
    "retention",
    "discard",
    "subject_transform",
    "republish",
    "allow_atomic",
    "allow_msg_schedules",
    "deny_delete",
    "deny_purge",
    "max_age",
    "max_msgs",
  ] as const;
  const text = (config: Partial<StreamConfig>, key: (typeof keys)[number]) =>
    JSON.stringify(config[key] ?? null, (_, value: unknown) => (value === false ? null : value));
  return keys
    .filter((key) => wished[key] !== undefined && text(wished, key) !== text(found, key))
    .map((key) => `${key} is ${text(found, key)}, not ${text(wished, key)}`);
};

const find = (manager: JetStreamManager, stream: string) =>
  natsRequest(`reading stream ${stream}`, async () => {
    try {
      return await manager.streams.info(stream);
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === 10059) return undefined;
      throw cause;
    }
  });

const checkShards = (found: StreamInfo, wished: number, stream: string) => {
  const shards = Number(found.config.metadata?.[metadataKeys.shards] ?? Number.NaN);
  return shards === wished
    ? Effect.void
    : Effect.fail(
        new TopologyMismatch({
          message:
            `stream ${stream} was set up with ${String(shards)} shards, not ${wished}: the shard count is fixed for ever. ` +
            `Use --shards ${String(shards)}, or another subject root`,
        }),
      );
};

/** Creates what is missing and checks what is there. Answers what was created. */
export const setUp = Effect.fn("setUp")(function* (wish: TopologyWish) {
  const nats = yield* Nats;
  const addresses = makeAddressBook(wish.root);
  const created: Array<string> = [];
  for (const config of streamConfigs(addresses, wish, nuid.next())) {
    const name = config.name!;
    const found = yield* find(nats.manager, name);
    if (found === undefined) {
      yield* natsRequest(`creating stream ${name}`, () => nats.manager.streams.add(config as StreamConfig));
      created.push(name);
      continue;
    }
    if (config.metadata !== undefined) yield* checkShards(found, wish.shards, name);
    const wrong = [...differences(config, found.config)];
    if (wish.replicas !== undefined && found.config.num_replicas !== wish.replicas) {
      wrong.push(`it has ${found.config.num_replicas} replicas, not ${wish.replicas}`);
    }
    if (wrong.length > 0) {
      return yield* new TopologyMismatch({
        message: `stream ${name} is not as this version needs it: ${wrong.join("; ")}. Mend it, or use another subject root`,
      });
    }
  }
  const kvm = new Kvm(nats.connection);
  if ((yield* find(nats.manager, `KV_${addresses.buckets.leases}`)) === undefined) {
    // Revisions begin anew with the bucket: consumers of older, higher epochs would never be taken over.
    yield* natsRequest("deleting the shards' old consumers", () => deleteEpochConsumers(nats.manager, addresses));
  }
  const { members, leases, suspects, recoveries, breakers, health } = addresses.buckets;
  const { notified, refusedWebhooks, gatewayKeys } = addresses.buckets;
  for (const [bucket, ttl, history] of [
    [members, wish.leaseTtlMillis, 1],
    [leases, wish.leaseTtlMillis, 1],
    [suspects, 0, 1],
    [recoveries, 0, keptRecoveries],
    [breakers, 0, 1],
    [health, healthTtlMillis, 1],
    [notified, daysMillis(webhooksKeptDays), 1],
    [refusedWebhooks, daysMillis(webhooksKeptDays), keptRefusals],
    [gatewayKeys, daysMillis(gatewayKeysKeptDays), 1],
  ] as const) {
    if ((yield* find(nats.manager, `KV_${bucket}`)) !== undefined) continue;
    yield* natsRequest(`creating bucket ${bucket}`, () =>
      kvm.create(bucket, { history, ttl, allow_direct: false, replicas: wish.replicas ?? 1 }),
    );
    created.push(bucket);
  }
  return created;
});

const deleteEpochConsumers = async (manager: JetStreamManager, addresses: AddressBook): Promise<void> => {
  for (const stream of [addresses.streams.commands, addresses.streams.timers]) {
    for await (const { name } of manager.consumers.list(stream)) {
      if (addresses.parseEpochConsumer(name) !== undefined) await manager.consumers.delete(stream, name);
    }
  }
};

const readDeployment = Effect.fnUntraced(function* (root: string) {
  const { manager } = yield* Nats;
  const addresses = makeAddressBook(root);
  const events = yield* find(manager, addresses.streams.events);
  const commands = yield* find(manager, addresses.streams.commands);
  const deployment = events?.config.metadata?.[metadataKeys.deployment];
  const shards = Number(commands?.config.metadata?.[metadataKeys.shards] ?? 0);
  if (events === undefined || commands === undefined || deployment === undefined || shards < 1) {
    return yield* new TopologyMismatch({
      message: `there is no AegisPay under the subject root "${root}": run \`aegispay setup\` first`,
    });
  }
  return Deployment.of({ addresses, shards, deployment, commandStreamCreated: Date.parse(commands.created) });
});

/** Reads and checks the deployment that is there. */
export const layerDeployment = (root: string) => Layer.effect(Deployment, readDeployment(root));
