/** What nodes know of their gateways: what a call says, what the window keeps, and how nodes' sums come together. */
import { liveKey } from "@aegispay/core/routing/LiveFigures";
import { ClusterFigures, readNodeSums } from "@aegispay/runtime/routing/ClusterFigures";
import { GatewayHealth } from "@aegispay/runtime/routing/GatewayHealth";
import { layerMemoryGatewayHealth } from "@aegispay/runtime/routing/MemoryGatewayHealth";
import { Breakers } from "@aegispay/runtime/resilience/Breakers";
import { verdictOf } from "@aegispay/runtime/routing/verdict";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Layer, Option } from "effect";
import { candidate } from "./tables.ts";

const approved = { _tag: "Approved" };
const unknown = { _tag: "Unknown" };
const seen = (cluster: ClusterFigures, nowMillis = 0) => cluster.figures(nowMillis).get(liveKey("alpha", "default"));

describe("what a call says about its gateway", () => {
  for (const [title, isCharge, heard, verdict] of [
    ["an approval", true, approved, { isAnswered: true, isSuccess: true }],
    ["a customer who has to act", true, { _tag: "ActionRequired" }, { isAnswered: true, isSuccess: true }],
    [
      "a decline that others may overcome",
      true,
      { _tag: "Declined", tryAnotherGateway: true },
      { isAnswered: true, isSuccess: false },
    ],
    [
      "a decline for good, which is the card's",
      true,
      { _tag: "Declined", tryAnotherGateway: false },
      { isAnswered: true },
    ],
    ["no answer", true, unknown, { isAnswered: false, isSuccess: false }],
    ["nothing sent", true, { _tag: "NotSent" }, { isAnswered: false, isSuccess: false }],
    ["a call that we held back ourselves", true, { _tag: "NotSent", heldBack: true }, undefined],
    ["a charge that a gateway turned away for a while", true, { _tag: "NotSent", retryAfterMillis: 1_000 }, undefined],
    ["a look-up that found nothing", false, { _tag: "NotFound" }, { isAnswered: true }],
    ["a look-up without an answer", false, unknown, { isAnswered: false }],
    ["a look-up at a gateway that has no way of asking", false, { _tag: "Unknown", sameKeyAnswers: true }, undefined],
    ["a refund that was refused", false, { _tag: "Refused" }, { isAnswered: true }],
  ] as const) {
    it(`is told of ${title}`, () => expect(verdictOf(isCharge, heard)).toEqual(verdict));
  }
});

describe("the moving window", () => {
  const watch = (cluster: ClusterFigures, nowMillis: number, heard: typeof approved, times: number, millis = 40) => {
    for (let time = 0; time < times; time++) cluster.see(nowMillis, "alpha", "default", true, heard, millis);
  };

  it("adds up calls, charges and their mean time", () => {
    const cluster = new ClusterFigures();
    watch(cluster, 0, approved, 3, 10);
    watch(cluster, 0, unknown, 1, 50);
    expect(seen(cluster)).toMatchObject({
      calls: 4,
      answered: 3,
      attempts: 4,
      successes: 3,
      latencyMillis: 20,
      score: 83,
    });
  });

  it("keeps the latest hundred, so that a gateway that turns bad is soon seen to be", () => {
    const cluster = new ClusterFigures();
    watch(cluster, 0, approved, 5_000);
    watch(cluster, 0, unknown, 100);
    expect(seen(cluster)).toMatchObject({ calls: 100, answered: 0, attempts: 100, successes: 0, score: 2 });
  });

  it("forgets what is older than five minutes, so that nobody is dead for ever", () => {
    const cluster = new ClusterFigures();
    watch(cluster, 0, unknown, 50);
    watch(cluster, 200_000, unknown, 10);
    expect(seen(cluster, 299_999)).toMatchObject({ calls: 60 });
    expect(seen(cluster, 301_000)).toMatchObject({ calls: 10 });
    expect(seen(cluster, 501_000)).toBe(undefined);
  });

  it("does not let one early failure bury a gateway that is seldom called", () => {
    const cluster = new ClusterFigures();
    watch(cluster, 0, unknown, 1);
    expect(seen(cluster)?.score).toBe(67);
  });

  it("is added to what other nodes say, for as long as they are heard", () => {
    const [mine, others] = [new ClusterFigures(), new ClusterFigures()];
    watch(mine, 0, approved, 2);
    watch(others, 0, unknown, 6);
    mine.hear(0, "node-2", others.own(0));
    mine.hear(10, "node-2", others.own(10));
    expect(seen(mine, 10)).toMatchObject({ calls: 8, answered: 2, attempts: 8, successes: 2 });
    expect(seen(mine, 31_000)).toMatchObject({ calls: 2 });
    mine.hear(31_000, "node-2", others.own(31_000));
    expect(seen(mine, 31_000)).toMatchObject({ calls: 8 });
    mine.forget("node-2");
    expect(seen(mine, 31_000)).toMatchObject({ calls: 2 });
  });
});

describe("what a decision is given", () => {
  it.effect("says whose breaker is open at this very moment, of gateways never called too", () =>
    Effect.gen(function* () {
      const open = new Set(["alpha", "beta"]);
      const breakers = Layer.succeed(Breakers, { isOpen: (gateway) => open.has(gateway), circuits: () => new Map() });
      const health = yield* GatewayHealth.pipe(Effect.provide(layerMemoryGatewayHealth.pipe(Layer.provide(breakers))));
      const candidates = ["alpha", "beta", "gamma"].map((name) => candidate(name));
      health.observe("alpha", "default", true, approved, 40);
      const isOpen = () => [...health.live(candidates)].map(([key, { breakerOpen }]) => [key, breakerOpen]);
      expect(isOpen()).toEqual([
        ["alpha/default", true],
        ["beta/default", true],
      ]);
      expect(health.live(candidates).get("alpha/default")).toMatchObject({ successes: 1 });
      open.clear();
      expect(isOpen()).toEqual([["alpha/default", false]]);
    }),
  );
});

describe("what another node says", () => {
  const sums = { calls: 10, answered: 9, attempts: 8, successes: 7, timed: 8, millis: 400 };
  const read = (said: unknown) => readNodeSums(JSON.stringify(said));

  it("is what this one says of itself, whatever it has seen and forgotten", () => {
    const cluster = new ClusterFigures();
    for (let call = 0; call < 250; call++) cluster.see(call, "alpha", "default", true, approved, 0.1 * call);
    cluster.see(300_200, "alpha", "default", false, approved, 1);
    expect(Option.getOrThrow(read(cluster.own(300_200)))).toEqual(cluster.own(300_200));
    expect(read({ "alpha/default": sums })).toEqual(Option.some({ "alpha/default": sums }));
  });

  it.each([
    ["a negative count", { calls: -1 }],
    ["more answers than calls", { answered: 11 }],
    ["more that went well than was tried", { successes: 9 }],
    ["more than a node keeps", { calls: 1_000_000, attempts: 1_000_000 }],
    ["a negative time", { millis: -1 }],
    ["no number", { millis: "1e999" }],
  ])("is not believed where it is %s", (_, changes) => {
    expect(read({ "alpha/default": { ...sums, ...changes } })).toEqual(Option.none());
  });

  it("is not believed where it is of more gateways than there can be", () => {
    const of = (gateways: number) =>
      read(Object.fromEntries(Array.from({ length: gateways }, (_, n) => [`g${n}/d`, sums])));
    expect(Option.isSome(of(1_000))).toBe(true);
    expect(of(1_001)).toEqual(Option.none());
  });
});
