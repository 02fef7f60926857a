/** Gateways whose configuration is replaced under them: what has not changed is kept, what goes is let finish. */
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { makeReloadingGateways } from "@aegispay/gateways/ReloadingGateways";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Fiber, Result } from "effect";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "../gateways/standIns.ts";
import { eventually } from "../support/eventually.ts";

const simulator = (name: string, url = "http://127.0.0.1:1", more: object = {}) =>
  ({ name, type: "simulator", url, ...more }) as const;
const stripe = (env: string) =>
  ({ name: "stripe", type: "stripe", secretKey: { env }, returnUrl: "https://shop.example/" }) as const;
const config = (...gateways: ReadonlyArray<GatewaysConfig["gateways"][number]>): GatewaysConfig => ({
  gateways: gateways as unknown as GatewaysConfig["gateways"],
});

/** A gateway that answers when it is told to. */
const slowGateway = Effect.acquireRelease(
  Effect.promise(async () => {
    const waiting: Array<ServerResponse> = [];
    let closed = 0;
    const server = createServer((_, response) => void waiting.push(response));
    server.on("connection", (socket) => socket.on("close", () => closed++));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const charge = { id: "ch_1", status: "succeeded", amount: 1999, currency: "USD", captured: 1999 };
    return {
      server,
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      asked: () => waiting.length,
      closed: () => closed,
      answer: () => {
        const body = JSON.stringify({ ...charge, idempotencyKeys: ["k1"], reference: "shop/order-1" });
        waiting.shift()!.writeHead(200, { "content-type": "application/json" }).end(body);
      },
    };
  }),
  ({ server }) =>
    Effect.sync(() => {
      server.close();
      server.closeAllConnections();
    }),
);

const seen = (what: string, isSo: () => boolean) => Effect.promise(() => eventually(what, isSo));

describe("gateways whose configuration is replaced", () => {
  it.effect("are found as it says now, in its order, with its settings", () =>
    Effect.gen(function* () {
      const { gateways, reload, current } = yield* makeReloadingGateways(config(simulator("a"), simulator("b")));
      const next = config(simulator("c"), simulator("a", undefined, { account: "eu", keyRetentionMillis: 5 }));
      yield* reload(next);
      expect(gateways.candidates).toEqual([
        { gateway: "c", account: "default", keyRetentionMillis: 86_400_000 },
        { gateway: "a", account: "eu", keyRetentionMillis: 5 },
      ]);
      expect(gateways.find("b", "default")).toBe(undefined);
      expect(gateways.find("a", "default")).toBe(undefined);
      expect(gateways.find("a", "eu")).toMatchObject({ name: "a", account: "eu" });
      expect(current()).toEqual(next);
    }),
  );

  it.effect("are kept, with their connections, where their entries have not changed", () =>
    Effect.gen(function* () {
      const { gateways, reload } = yield* makeReloadingGateways(config(simulator("a"), simulator("b")));
      const [a, b] = [gateways.find("a", "default"), gateways.find("b", "default")];
      yield* reload(config(simulator("b", undefined, { timeoutMillis: 5 }), simulator("a")));
      expect(gateways.find("a", "default")).toBe(a);
      expect(gateways.find("b", "default")).not.toBe(b);
    }),
  );

  it.effect("keep what surrounds them while it says the same, so that whoever counts goes on counting", () =>
    Effect.gen(function* () {
      const knobs = { resilience: { callsPerSecond: 5 } };
      const { gateways, reload } = yield* makeReloadingGateways(config(simulator("a", undefined, knobs)));
      const [around, limits] = [gateways.resilience?.("a", "default"), gateways.limits?.()];
      expect(around).toMatchObject({ rate: { callsPerSecond: 5 } });
      yield* reload(config(simulator("a", undefined, { ...knobs, timeoutMillis: 5 }), simulator("b")));
      expect(gateways.resilience?.("a", "default")).toBe(around);
      expect(gateways.limits?.()).toBe(limits);
      yield* reload(config(simulator("a", undefined, { resilience: { callsPerSecond: 6 } })));
      expect(gateways.resilience?.("a", "default")).toMatchObject({ rate: { callsPerSecond: 6 } });
      expect(gateways.resilience?.("b", "default")).toBe(undefined);
    }),
  );

  it.effect("stay as they were where the new configuration cannot be had as a whole", () =>
    Effect.gen(function* () {
      const before = config(simulator("a"), simulator("b"));
      const { gateways, reload, current } = yield* makeReloadingGateways(before);
      const a = gateways.find("a", "default");
      const failed = yield* Effect.result(reload(config(simulator("d"), simulator("a"), stripe("NO_SUCH_VARIABLE"))));
      expect(Result.isFailure(failed) && failed.failure.message).toContain("NO_SUCH_VARIABLE");
      expect(gateways.find("a", "default")).toBe(a);
      expect(gateways.candidates.map(({ gateway }) => gateway)).toEqual(["a", "b"]);
      expect(current()).toBe(before);
    }),
  );

  it.live("let a call that is under way at one that goes come to its answer, and close it then", () =>
    Effect.gen(function* () {
      const server = yield* slowGateway;
      const { gateways, reload } = yield* makeReloadingGateways(config(simulator("a", server.url), simulator("b")));
      const call = yield* Effect.forkChild(gateways.find("a", "default")!.start(request("k1")));
      yield* seen("the gateway is asked", () => server.asked() === 1);
      yield* reload(config(simulator("b")));
      expect(gateways.find("a", "default")).toBe(undefined);
      expect(server.closed()).toBe(0);
      server.answer();
      expect(yield* Fiber.join(call)).toMatchObject({ _tag: "Approved", gatewayTransactionId: "ch_1" });
      yield* seen("its connection is closed", () => server.closed() === 1);
    }),
  );
});
