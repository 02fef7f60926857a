/** The address book: every subject, stream and bucket name of a deployment, spelled once. See CONTRACT, "Subjects". */
import type { PaymentRef } from "../identity/Identity.ts";

const rootPattern = /^[a-z][a-z0-9-]{0,30}$/;

/** Whether a text can be a subject root: lower-case letters, digits and dashes, one token. */
export const isRoot = (text: string): boolean => rootPattern.test(text);

export interface AddressBook {
  readonly root: string;
  readonly streams: { readonly commands: string; readonly events: string; readonly dead: string };
  readonly buckets: { readonly members: string; readonly leases: string };
  /** What clients publish to: `payments.command.<merchant>.<payment>.<verb>`. */
  readonly command: (payment: PaymentRef, verb: string) => string;
  readonly query: (payment: PaymentRef, kind: "get" | "events") => string;
  readonly reply: (merchant: string, token: string) => string;
  /** Where commits are published, under condition of the payment's last sequence. */
  readonly append: (payment: PaymentRef) => string;
  /** Where commits are stored and republished: the payment's log. */
  readonly event: (payment: PaymentRef) => string;
  readonly dead: (payment: PaymentRef, verb: string) => string;
  /** What a shard's consumer takes: the stream stores every command under the shard of its payment. */
  readonly shardCommands: (shard: number) => string;
  /** The consumer of one shard in one epoch: an older epoch's name reaches nothing. */
  readonly shardConsumer: (shard: number, epoch: number) => string;
  /** Whether a consumer's name is that of a shard's epoch. */
  readonly isShardConsumer: (name: string) => boolean;
  readonly patterns: {
    readonly commands: string;
    readonly appends: string;
    readonly events: string;
    readonly queries: string;
    readonly dead: string;
    readonly commandToShard: (shards: number) => { readonly src: string; readonly dest: string };
    readonly appendToEvent: { readonly src: string; readonly dest: string };
  };
  /** Reads `payments.shard.<n>.command.<merchant>.<payment>.<verb>`; undefined for any other subject. */
  readonly parseShardCommand: (
    subject: string,
  ) => { readonly shard: number; readonly payment: PaymentRef; readonly verb: string } | undefined;
  /** Reads `payments.query.<merchant>.<payment>.<kind>`. */
  readonly parseQuery: (subject: string) => { readonly payment: PaymentRef; readonly kind: string } | undefined;
}

export const makeAddressBook = (root: string): AddressBook => {
  const upper = root.toUpperCase().replaceAll("-", "_");
  const lower = root.replaceAll("-", "_");
  const at = (kind: string, payment: PaymentRef) => `${root}.${kind}.${payment.merchant}.${payment.paymentId}`;
  return {
    root,
    streams: { commands: `${upper}_COMMANDS`, events: `${upper}_EVENTS`, dead: `${upper}_DEAD` },
    buckets: { members: `${lower}_members`, leases: `${lower}_leases` },
    command: (payment, verb) => `${at("command", payment)}.${verb}`,
    query: (payment, kind) => `${at("query", payment)}.${kind}`,
    reply: (merchant, token) => `${root}.reply.${merchant}.${token}`,
    append: (payment) => at("append", payment),
    event: (payment) => at("event", payment),
    dead: (payment, verb) => `${at("dead", payment)}.${verb}`,
    shardCommands: (shard) => `${root}.shard.${shard}.command.>`,
    shardConsumer: (shard, epoch) => `shard-${shard}-e${epoch}`,
    isShardConsumer: (name) => /^shard-\d+-e\d+$/.test(name),
    patterns: {
      commands: `${root}.command.*.*.*`,
      appends: `${root}.append.*.*`,
      events: `${root}.event.*.*`,
      queries: `${root}.query.*.*.*`,
      dead: `${root}.dead.*.*.*`,
      commandToShard: (shards) => ({
        src: `${root}.command.*.*.*`,
        dest: `${root}.shard.{{partition(${shards},1,2)}}.command.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}`,
      }),
      appendToEvent: { src: `${root}.append.*.*`, dest: `${root}.event.{{wildcard(1)}}.{{wildcard(2)}}` },
    },
    parseShardCommand: (subject) => {
      const tokens = subject.split(".");
      const [first, second, shard, kind, merchant, paymentId, verb] = tokens;
      if (tokens.length !== 7 || first !== root || second !== "shard" || kind !== "command") return undefined;
      return { shard: Number(shard), payment: { merchant: merchant!, paymentId: paymentId! }, verb: verb! };
    },
    parseQuery: (subject) => {
      const [first, second, merchant, paymentId, kind, ...rest] = subject.split(".");
      if (rest.length > 0 || first !== root || second !== "query" || kind === undefined) return undefined;
      return { payment: { merchant: merchant!, paymentId: paymentId! }, kind };
    },
  };
};
