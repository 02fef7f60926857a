import { isRoot, makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { describe, expect, it } from "vitest";
import { payment } from "./paymentExamples.ts";

const book = makeAddressBook("payments");

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
      streams: { commands: "PAYMENTS_COMMANDS", events: "PAYMENTS_EVENTS", dead: "PAYMENTS_DEAD" },
      buckets: { members: "payments_members", leases: "payments_leases" },
    });
    expect([
      book.command(payment, "create"),
      book.query(payment, "get"),
      book.reply("shop", "token"),
      book.append(payment),
      book.event(payment),
      book.dead(payment, "create"),
    ]).toEqual([
      "payments.command.shop.order-1.create",
      "payments.query.shop.order-1.get",
      "payments.reply.shop.token",
      "payments.append.shop.order-1",
      "payments.event.shop.order-1",
      "payments.dead.shop.order-1.create",
    ]);
  });

  it("gives another root other names for everything", () => {
    const other = makeAddressBook("payments-eu");
    expect(other.streams).toEqual({
      commands: "PAYMENTS_EU_COMMANDS",
      events: "PAYMENTS_EU_EVENTS",
      dead: "PAYMENTS_EU_DEAD",
    });
    expect(other.buckets).toEqual({ members: "payments_eu_members", leases: "payments_eu_leases" });
    expect(other.event(payment)).toBe("payments-eu.event.shop.order-1");
    expect(matches(other.patterns.events, book.event(payment))).toBe(false);
    expect(other.parseQuery(book.query(payment, "get"))).toBeUndefined();
    expect(other.parseShardCommand("payments.shard.3.command.shop.order-1.create")).toBeUndefined();
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
    const { commands, appends, events, queries, dead } = book.patterns;
    const patterns = [commands, appends, events, queries, dead, book.shardCommands(3)];
    const subjects = [
      book.command(payment, "create"),
      book.append(payment),
      book.event(payment),
      book.query(payment, "get"),
      book.dead(payment, "create"),
      "payments.shard.3.command.shop.order-1.create",
    ];
    for (const [index, pattern] of patterns.entries()) {
      expect(subjects.filter((subject) => matches(pattern, subject))).toEqual([subjects[index]]);
    }
  });

  it("reads a command's address from where the stream stores it", () => {
    expect(book.parseShardCommand("payments.shard.12.command.shop.order-1.create")).toEqual({
      shard: 12,
      payment,
      verb: "create",
    });
  });

  it.each([
    "payments.shard.12.command.shop.order-1",
    "payments.shard.12.command.shop.order-1.create.now",
    "payments.shard.12.internal.shop.order-1.create",
    "payments.command.shop.order-1.create",
    "",
  ])("reads no command's address from %j", (subject) => {
    expect(book.parseShardCommand(subject)).toBeUndefined();
  });

  it("reads a query's address", () => {
    expect(book.parseQuery("payments.query.shop.order-1.events")).toEqual({ payment, kind: "events" });
    expect(book.parseQuery("payments.query.shop.order-1")).toBeUndefined();
    expect(book.parseQuery("payments.query.shop.order-1.get.more")).toBeUndefined();
    expect(book.parseQuery("payments.command.shop.order-1.create")).toBeUndefined();
  });

  it("names a shard's consumer by its epoch, and no shard's like the beginning of another's", () => {
    expect(book.shardConsumer(1, 7)).toBe("shard-1-e7");
    expect(book.shardConsumer(11, 7).startsWith(book.shardConsumer(1, 0).slice(0, -1))).toBe(false);
  });

  it("spreads payments over shards by merchant and payment, and keeps the rest of the address", () => {
    const { src, dest } = book.patterns.commandToShard(16);
    expect(src).toBe("payments.command.*.*.*");
    expect(dest).toBe("payments.shard.{{partition(16,1,2)}}.command.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}");
    expect(book.patterns.appendToEvent).toEqual({
      src: "payments.append.*.*",
      dest: "payments.event.{{wildcard(1)}}.{{wildcard(2)}}",
    });
  });
});
