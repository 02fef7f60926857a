import { isRoot, makeAddressBook, sources } from "@aegispay/core/addresses/AddressBook";
import { describe, expect, it } from "vitest";
import { payment } from "./paymentExamples.ts";

const book = makeAddressBook("payments");

/** Where the streams store what is delivered, one of each source, in their order. */
const storedDeliveries = [
  "payments.shard.3.command.shop.order-1.create",
  "payments.shard.3.internal.shop.order-1.resume",
  "payments.duein.3.shop.order-1.round.7",
] as const;

/** Whether NATS delivers a subject to a pattern. */
const matches = (pattern: string, subject: string): boolean => {
  const [wanted, found] = [pattern.split("."), subject.split(".")];
  const rest = wanted.indexOf(">");
  if (rest >= 0)
    return found.length > rest && wanted.slice(0, rest).every((token, at) => token === "*" || token === found[at]);
  return wanted.length === found.length && wanted.every((token, index) => token === "*" || token === found[index]);
};

describe("the address book", () => {
  it("spells every name as other programs know it", () => {
    expect(book).toMatchObject({
      streams: {
        commands: "PAYMENTS_COMMANDS",
        events: "PAYMENTS_EVENTS",
        timers: "PAYMENTS_TIMERS",
        dead: "PAYMENTS_DEAD",
        webhooks: "PAYMENTS_WEBHOOKS",
        evidence: "PAYMENTS_EVIDENCE",
      },
      buckets: {
        members: "payments_members",
        leases: "payments_leases",
        suspects: "payments_suspects",
        recoveries: "payments_recoveries",
        breakers: "payments_breakers",
        health: "payments_health",
        notified: "payments_webhooks",
        refusedWebhooks: "payments_webhooks_refused",
        gatewayKeys: "payments_keys",
      },
    });
    expect([
      book.command(payment, "create"),
      book.internal(payment, "resume"),
      book.timer(payment, "round", 7),
      book.due(payment, "round", 7),
      book.query(payment, "get"),
      book.reply("shop", "token"),
      book.append(payment),
      book.event(payment),
      book.dead(payment, "create"),
      book.webhook("stripe-eu", "genuine"),
      book.evidence("adyen", "default", "ap_key"),
    ]).toEqual([
      "payments.command.shop.order-1.create",
      "payments.internal.shop.order-1.resume",
      "payments.timer.shop.order-1.round.7",
      "payments.due.shop.order-1.round.7",
      "payments.query.shop.order-1.get",
      "payments.reply.shop.token",
      "payments.append.shop.order-1",
      "payments.event.shop.order-1",
      "payments.dead.shop.order-1.create",
      "payments.webhook.stripe-eu.genuine",
      "payments.evidence.adyen.default.ap_key",
    ]);
  });

  it("gives another root other names for everything", () => {
    const other = makeAddressBook("payments-eu");
    expect(other.streams).toEqual({
      commands: "PAYMENTS_EU_COMMANDS",
      events: "PAYMENTS_EU_EVENTS",
      timers: "PAYMENTS_EU_TIMERS",
      dead: "PAYMENTS_EU_DEAD",
      webhooks: "PAYMENTS_EU_WEBHOOKS",
      evidence: "PAYMENTS_EU_EVIDENCE",
    });
    expect(other.buckets).toEqual({
      members: "payments_eu_members",
      leases: "payments_eu_leases",
      suspects: "payments_eu_suspects",
      recoveries: "payments_eu_recoveries",
      breakers: "payments_eu_breakers",
      health: "payments_eu_health",
      notified: "payments_eu_webhooks",
      refusedWebhooks: "payments_eu_webhooks_refused",
      gatewayKeys: "payments_eu_keys",
    });
    expect(other.event(payment)).toBe("payments-eu.event.shop.order-1");
    expect(other.timer(payment, "round", 7)).toBe("payments-eu.timer.shop.order-1.round.7");
    expect(other.shardSubject("due", 3)).toBe("payments-eu.duein.3.>");
    expect(other.streamOf("due")).toBe("PAYMENTS_EU_TIMERS");
    expect(matches(other.patterns.events, book.event(payment))).toBe(false);
    expect(other.parseQuery(book.query(payment, "get"))).toBeUndefined();
    for (const stored of storedDeliveries) {
      expect(other.parseDelivery(stored)).toBeUndefined();
      expect(other.parseDelivery(stored.replace("payments.", "payments-eu."))).toEqual(book.parseDelivery(stored));
    }
  });

  it.each(["payments", "payments-eu", "p", "a0-"])("takes %s as a root", (root) => {
    expect(isRoot(root)).toBe(true);
  });

  it.each(["", "Payments", "payments.eu", "*", ">", "1payments", "pay ments", "-p", "a_b", "x".repeat(32)])(
    "takes %j as no root",
    (root) => {
      expect(isRoot(root)).toBe(false);
    },
  );

  it("writes no subject that one of another kind would catch", () => {
    const { commands, internals, timers, dues, appends, events, queries, dead, webhooks, evidence } = book.patterns;
    const shardSubjects = sources.map((source) => book.shardSubject(source, 3));
    const own = [commands, internals, timers, dues, appends, events, queries, dead, webhooks, evidence];
    const patterns = [...own, ...shardSubjects];
    const subjects = [
      book.command(payment, "create"),
      book.internal(payment, "resume"),
      book.timer(payment, "round", 7),
      book.due(payment, "round", 7),
      book.append(payment),
      book.event(payment),
      book.query(payment, "get"),
      book.dead(payment, "create"),
      book.webhook("stripe", "unreadable"),
      book.evidence("adyen", "default", "ap_key"),
      ...storedDeliveries,
    ];
    for (const [index, pattern] of patterns.entries()) {
      expect(subjects.filter((subject) => matches(pattern, subject))).toEqual([subjects[index]]);
    }
  });

  it("keeps what clients and nodes ask for in one stream, and timers in another that no client publishes to", () => {
    expect(sources.map((source) => [source, book.streamOf(source)])).toEqual([
      ["command", "PAYMENTS_COMMANDS"],
      ["internal", "PAYMENTS_COMMANDS"],
      ["due", "PAYMENTS_TIMERS"],
    ]);
  });

  it("gives each shard and source a subject that no other shard's or source's deliveries reach", () => {
    expect(sources.map((source) => book.shardSubject(source, 12))).toEqual([
      "payments.shard.12.command.>",
      "payments.shard.12.internal.>",
      "payments.duein.12.>",
    ]);
    for (const stored of storedDeliveries) {
      const { source, shard } = book.parseDelivery(stored)!;
      for (const other of [1, 2, 3, 30, 33]) {
        for (const one of sources) {
          expect(matches(book.shardSubject(one, other), stored)).toBe(one === source && other === shard);
        }
      }
    }
  });

  it("reads a delivery's address from where the streams store it", () => {
    expect(storedDeliveries.map(book.parseDelivery)).toEqual([
      { source: "command", shard: 3, payment, verb: "create" },
      { source: "internal", shard: 3, payment, verb: "resume" },
      { source: "due", shard: 3, payment, verb: "round", version: 7 },
    ]);
  });

  it.each([
    "payments.shard.12.command.shop.order-1",
    "payments.shard.12.command.shop.order-1.create.now",
    "payments.shard.12.due.shop.order-1.round.7",
    "payments.shard.12.timer.shop.order-1.round",
    "payments.duein.12.shop.order-1.round",
    "payments.duein.12.shop.order-1.round.7.more",
    "payments.duein.12.command.shop.order-1",
    "payments.due.shop.order-1.round.7",
    "payments.timer.shop.order-1.round.7",
    "payments.command.shop.order-1.create",
    "payments.internal.shop.order-1.resume",
    "payments.event.shop.order-1",
    "payments",
    "",
  ])("reads no delivery's address from %j", (subject) => {
    expect(book.parseDelivery(subject)).toBeUndefined();
  });

  it("reads a query's address", () => {
    expect(book.parseQuery("payments.query.shop.order-1.events")).toEqual({ payment, kind: "events" });
    expect(book.parseQuery("payments.query.shop.order-1")).toBeUndefined();
    expect(book.parseQuery("payments.query.shop.order-1.get.more")).toBeUndefined();
    expect(book.parseQuery("payments.command.shop.order-1.create")).toBeUndefined();
  });

  it("names a consumer by its source, shard and epoch, as no other's, and reads the name again", () => {
    expect(sources.map((source) => book.epochConsumer(source, 1, 7))).toEqual([
      "shard-1-e7",
      "internal-1-e7",
      "due-1-e7",
    ]);
    const names = new Set<string>();
    for (const source of sources) {
      for (const [shard, epoch] of [
        [0, 1],
        [1, 0],
        [1, 7],
        [11, 7],
        [1, 77],
        [127, 2 ** 40],
      ] as const) {
        const name = book.epochConsumer(source, shard, epoch);
        names.add(name);
        expect(book.parseEpochConsumer(name)).toEqual({ source, shard, epoch });
      }
    }
    expect(names.size).toBe(18);
  });

  it.each([
    "shard-1",
    "shard-1-e",
    "shard-1-7",
    "shard--1-e7",
    "shard-1-e7-e8",
    "shard-1-e7 ",
    "command-1-e7",
    "timer-1-e7",
    "my-shard-1-e7",
    "SHARD-1-e7",
    "",
  ])("reads no epoch's consumer from the name %j", (name) => {
    expect(book.parseEpochConsumer(name)).toBeUndefined();
  });

  it("spreads payments over shards by merchant and payment, and keeps the rest of the address", () => {
    expect(book.patterns.commandToShard(16)).toEqual({
      src: "payments.*.*.*.*",
      dest: "payments.shard.{{partition(16,2,3)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}",
    });
    expect(book.patterns.dueToShard(16)).toEqual({
      src: "payments.due.*.*.*.*",
      dest: "payments.duein.{{partition(16,1,2)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}",
    });
    expect(book.patterns.appendToEvent).toEqual({
      src: "payments.append.*.*",
      dest: "payments.event.{{wildcard(1)}}.{{wildcard(2)}}",
    });
  });

  it("moves what the streams take to where deliveries are read, and an armed timer nowhere", () => {
    const { commandToShard, dueToShard } = book.patterns;
    const moved = (transform: { readonly src: string; readonly dest: string }, subject: string) => {
      if (!matches(transform.src, subject)) return undefined;
      const tokens = subject.split(".");
      const wild = transform.src.split(".").flatMap((token, index) => (token === "*" ? [tokens[index]!] : []));
      return transform.dest
        .replace(/\{\{partition\([^)]*\)\}\}/, "3")
        .replace(/\{\{wildcard\((\d)\)\}\}/g, (_, index: string) => wild[Number(index) - 1]!);
    };
    expect(moved(commandToShard(16), book.command(payment, "create"))).toBe(storedDeliveries[0]);
    expect(moved(commandToShard(16), book.internal(payment, "resume"))).toBe(storedDeliveries[1]);
    expect(moved(dueToShard(16), book.due(payment, "round", 7))).toBe(storedDeliveries[2]);
    expect(moved(dueToShard(16), book.timer(payment, "round", 7))).toBeUndefined();
  });
});
