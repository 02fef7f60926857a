/** What docs/routing.md says by example is what the code does. */
import { readFileSync } from "node:fs";
import { parseMoney } from "@aegispay/core/money/Money";
import { seedOf } from "@aegispay/core/routing/chance";
import { factsOf } from "@aegispay/core/routing/PaymentFacts";
import { route } from "@aegispay/core/routing/route";
import { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Result, Schema } from "effect";
import * as Yaml from "effect/encoding/Yaml";
import { describe, expect, it } from "vitest";
import { candidate } from "./tables.ts";

const text = readFileSync(new URL("../../../docs/routing.md", import.meta.url), "utf8");
const configurations = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml!);

const decode = (yaml: string) =>
  Result.getOrThrow(Schema.decodeUnknownResult(GatewaysConfig, { onExcessProperty: "error" })(Yaml.parse(yaml)));

const header = "| merchant | amount | currency | country | network | label | prefers | order |";
const rows = text
  .slice(text.indexOf(header))
  .split("\n\n")[0]!
  .split("\n")
  .slice(2)
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

/** Orders of several payments that differ in their id only: what chance decides is not what the table promises. */
const firstsOf = (cells: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [merchant = "", amount = "", currency = "", country = "", network = "", label = "", prefers = ""] = cells;
  const { gateways, routing = {} } = decode(configurations[0]!);
  const [key, value] = label.split("=");
  const facts = factsOf(
    { merchant, paymentId: "any" },
    {
      create: {
        amount: parseMoney(amount, currency)!,
        method: { type: "card", token: "tok_visa" },
        customer: { country },
        metadata: { cardNetwork: network },
        ...(prefers === "" ? {} : { gateway: prefers }),
      },
      labels: value === undefined ? {} : { [key!]: value },
    },
  );
  const candidates = gateways.map(({ name }) => candidate(name));
  const orders = Array.from({ length: 20 }, (_, number) => {
    const question = { candidates, facts, seed: seedOf({ merchant, paymentId: `example-${number}` }, 1), tried: [] };
    const routed = route({ table: routing, live: new Map() }, question);
    return Result.isFailure(routed) ? "none" : routed.success.order.map(({ gateway }) => gateway).join(", ");
  });
  return [...new Set(orders)];
};

describe("the page about routing", () => {
  it("has a configuration that can be used as it stands", () => {
    expect(configurations.length).toBeGreaterThan(0);
    for (const yaml of configurations) expect(decode(yaml).routing).toBeDefined();
  });

  it("has ten payments or more, each of which goes where the page says", () => {
    expect(rows.length).toBeGreaterThanOrEqual(10);
    for (const cells of rows)
      expect([...cells.slice(0, 7), firstsOf(cells)]).toEqual([...cells.slice(0, 7), [cells[7]]]);
  });

  it("names every strategy, and no other", () => {
    const named = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(named).toEqual(["order", "weights", "leastCost", "leastLatency", "successRate", "roundRobin"]);
  });
});
