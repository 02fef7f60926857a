/** The address book: every subject, stream and bucket name of a deployment, spelled once. See CONTRACT, "Subjects". */
import type { PaymentRef } from "../identity/Identity.ts";

const rootPattern = /^[a-z][a-z0-9-]{0,30}$/;

/** Whether a text can be a subject root: lower-case letters, digits and dashes, one token. */
export const isRoot = (text: string): boolean => rootPattern.test(text);

/**
 * What an owner takes out of its shard, each through a consumer of its own, so that a flood of one starves no other:
 * what clients asked for, what nodes and operators did, and timers that are due.
 */
export const sources = ["command", "internal", "due"] as const;
export type Source = (typeof sources)[number];

/** What stands in the subject of a delivery: for a due timer `verb` is its kind, and `version` what armed it. */
export interface DeliveryAddress {
  readonly source: Source;
  readonly shard: number;
  readonly payment: PaymentRef;
  readonly verb: string;
  readonly version?: number;
}

export interface AddressBook {
  readonly root: string;
  readonly streams: {
    readonly commands: string;
    readonly events: string;
    readonly timers: string;
    readonly dead: string;
    /** What gateways sent, as it came: for a few days. */
    readonly webhooks: string;
    /** What gateways have signed about our keys: for ever. */
    readonly evidence: string;
  };
  /** Entries of the first two live as long as a lease; those of the others until they are deleted. */
  readonly buckets: {
    readonly members: string;
    readonly leases: string;
    readonly suspects: string;
    readonly recoveries: string;
    readonly breakers: string;
    readonly health: string;
    /** Which notifications have been published: a repeat is known by it. */
    readonly notified: string;
    /** The last webhooks of each gateway that were refused. */
    readonly refusedWebhooks: string;
    /** Which payment a gateway's idempotency key belongs to, where its webhooks name nothing else. */
    readonly gatewayKeys: string;
  };
  /** What clients publish to: `payments.command.<merchant>.<payment>.<verb>`. */
  readonly command: (payment: PaymentRef, verb: string) => string;
  /** What nodes and operators publish: notifications, resumptions. */
  readonly internal: (payment: PaymentRef, verb: string) => string;
  /** Where a timer is armed: one subject for each debt and the version that armed it, so it has one due time for ever. */
  readonly timer: (payment: PaymentRef, kind: string, version: number) => string;
  /** Where it fires to. */
  readonly due: (payment: PaymentRef, kind: string, version: number) => string;
  readonly query: (payment: PaymentRef, kind: "get" | "events") => string;
  readonly reply: (merchant: string, token: string) => string;
  /** Where commits are published, under condition of the payment's last sequence. */
  readonly append: (payment: PaymentRef) => string;
  /** Where commits are stored and republished: the payment's log. */
  readonly event: (payment: PaymentRef) => string;
  readonly dead: (payment: PaymentRef, verb: string) => string;
  /** Where a gateway's webhook is kept, byte for byte: one that is signed and read, or signed and not understood. */
  readonly webhook: (gateway: string, verdict: "genuine" | "unreadable") => string;
  /** What a gateway has signed about one of our keys. */
  readonly evidence: (gateway: string, account: string, idempotencyKey: string) => string;
  /** What a shard's consumer takes: the streams store everything under the shard of its payment. */
  readonly shardSubject: (source: Source, shard: number) => string;
  /** Which stream holds it. */
  readonly streamOf: (source: Source) => string;
  /** The consumer of one shard in one epoch: an older epoch's name reaches nothing. */
  readonly epochConsumer: (source: Source, shard: number, epoch: number) => string;
  /** Reads the name of an epoch's consumer; undefined for any other. */
  readonly parseEpochConsumer: (
    name: string,
  ) => { readonly source: Source; readonly shard: number; readonly epoch: number } | undefined;
  readonly patterns: {
    readonly commands: string;
    readonly internals: string;
    readonly timers: string;
    readonly dues: string;
    readonly appends: string;
    readonly events: string;
    readonly queries: string;
    readonly dead: string;
    readonly webhooks: string;
    readonly evidence: string;
    readonly commandToShard: (shards: number) => { readonly src: string; readonly dest: string };
    readonly dueToShard: (shards: number) => { readonly src: string; readonly dest: string };
    readonly appendToEvent: { readonly src: string; readonly dest: string };
  };
  /**
   * Reads `payments.shard.<n>.command|internal.<merchant>.<payment>.<verb>` and
   * `payments.duein.<n>.<merchant>.<payment>.<kind>.<version>`; undefined for any other subject.
   */
  readonly parseDelivery: (subject: string) => DeliveryAddress | undefined;
  /** Reads `payments.query.<merchant>.<payment>.<kind>`. */
  readonly parseQuery: (subject: string) => { readonly payment: PaymentRef; readonly kind: string } | undefined;
}

const consumerPrefixes = { command: "shard", internal: "internal", due: "due" } as const;

export const makeAddressBook = (root: string): AddressBook => {
  const upper = root.toUpperCase().replaceAll("-", "_");
  const lower = root.replaceAll("-", "_");
  const at = (kind: string, payment: PaymentRef) => `${root}.${kind}.${payment.merchant}.${payment.paymentId}`;
  const streams = {
    commands: `${upper}_COMMANDS`,
    events: `${upper}_EVENTS`,
    timers: `${upper}_TIMERS`,
    dead: `${upper}_DEAD`,
    webhooks: `${upper}_WEBHOOKS`,
    evidence: `${upper}_EVIDENCE`,
  };
  return {
    root,
    streams,
    buckets: {
      members: `${lower}_members`,
      leases: `${lower}_leases`,
      suspects: `${lower}_suspects`,
      recoveries: `${lower}_recoveries`,
      breakers: `${lower}_breakers`,
      health: `${lower}_health`,
      notified: `${lower}_webhooks`,
      refusedWebhooks: `${lower}_webhooks_refused`,
      gatewayKeys: `${lower}_keys`,
    },
    command: (payment, verb) => `${at("command", payment)}.${verb}`,
    internal: (payment, verb) => `${at("internal", payment)}.${verb}`,
    timer: (payment, kind, version) => `${at("timer", payment)}.${kind}.${version}`,
    due: (payment, kind, version) => `${at("due", payment)}.${kind}.${version}`,
    query: (payment, kind) => `${at("query", payment)}.${kind}`,
    reply: (merchant, token) => `${root}.reply.${merchant}.${token}`,
    append: (payment) => at("append", payment),
    event: (payment) => at("event", payment),
    dead: (payment, verb) => `${at("dead", payment)}.${verb}`,
    webhook: (gateway, verdict) => `${root}.webhook.${gateway}.${verdict}`,
    evidence: (gateway, account, key) => `${root}.evidence.${gateway}.${account}.${key}`,
    shardSubject: (source, shard) =>
      source === "due" ? `${root}.duein.${shard}.>` : `${root}.shard.${shard}.${source}.>`,
    streamOf: (source) => (source === "due" ? streams.timers : streams.commands),
    epochConsumer: (source, shard, epoch) => `${consumerPrefixes[source]}-${shard}-e${epoch}`,
    parseEpochConsumer: (name) => {
      const [, prefix, shard, epoch] = /^([a-z]+)-(\d+)-e(\d+)$/.exec(name) ?? [];
      const source = sources.find((one) => consumerPrefixes[one] === prefix);
      return source === undefined ? undefined : { source, shard: Number(shard), epoch: Number(epoch) };
    },
    patterns: {
      commands: `${root}.command.*.*.*`,
      internals: `${root}.internal.*.*.*`,
      timers: `${root}.timer.*.*.*.*`,
      dues: `${root}.due.*.*.*.*`,
      appends: `${root}.append.*.*`,
      events: `${root}.event.*.*`,
      queries: `${root}.query.*.*.*`,
      dead: `${root}.dead.*.*.*`,
      webhooks: `${root}.webhook.*.*`,
      evidence: `${root}.evidence.*.*.*`,
      commandToShard: (shards) => ({
        src: `${root}.*.*.*.*`,
        dest: `${root}.shard.{{partition(${shards},2,3)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}`,
      }),
      dueToShard: (shards) => ({
        src: `${root}.due.*.*.*.*`,
        dest: `${root}.duein.{{partition(${shards},1,2)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}`,
      }),
      appendToEvent: { src: `${root}.append.*.*`, dest: `${root}.event.{{wildcard(1)}}.{{wildcard(2)}}` },
    },
    parseDelivery: (subject) => {
      const [first, second, shard, ...rest] = subject.split(".");
      if (first !== root) return undefined;
      if (second === "shard") {
        const [source, merchant, paymentId, verb, ...more] = rest;
        if ((source !== "command" && source !== "internal") || verb === undefined || more.length > 0) return undefined;
        return { source, shard: Number(shard), payment: { merchant: merchant!, paymentId: paymentId! }, verb };
      }
      const [merchant, paymentId, kind, version, ...more] = rest;
      if (second !== "duein" || version === undefined || more.length > 0) return undefined;
      const payment = { merchant: merchant!, paymentId: paymentId! };
      return { source: "due", shard: Number(shard), payment, verb: kind!, version: Number(version) };
    },
    parseQuery: (subject) => {
      const [first, second, merchant, paymentId, kind, ...rest] = subject.split(".");
      if (rest.length > 0 || first !== root || second !== "query" || kind === undefined) return undefined;
      return { payment: { merchant: merchant!, paymentId: paymentId! }, kind };
    },
  };
};
