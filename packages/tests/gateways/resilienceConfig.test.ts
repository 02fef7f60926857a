import { defaultPolicy } from "@aegispay/core/payment/Given";
import { defaultLimits } from "@aegispay/gateways/configuration/Limits";
import { resilienceOf, retryOf } from "@aegispay/gateways/configuration/Resilience";
import { Gateways } from "@aegispay/gateways/Gateway";
import { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { layerFromConfig } from "@aegispay/gateways/ReloadingGateways";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Result, Schema } from "effect";

const decode = Schema.decodeUnknownResult(GatewaysConfig, { onExcessProperty: "error" });
const simulator = { name: "simulator", type: "simulator", url: "http://127.0.0.1:8081" };

describe("the resilience of a gateway", () => {
  it("has the guide's knobs where nothing is said", () => {
    expect(resilienceOf()).toEqual({ failureThreshold: 5, successThreshold: 2, openForMillis: 60_000 });
    expect(retryOf()).toBeUndefined();
    const { maxRetries, retryDelaysMillis } = defaultPolicy;
    expect(retryOf({ maxRetries: 3 })).toEqual({ maxRetries, retryDelaysMillis });
  });

  it.each([
    [{ initialDelayMillis: 100, maxDelayMillis: 1_000, backoffMultiplier: 3 }, [100, 300, 900, 1_000]],
    [{ initialDelayMillis: 500, maxDelayMillis: 500 }, [500]],
    [{ initialDelayMillis: 0, maxDelayMillis: 4 }, [0, 2, 4]],
    [{ initialDelayMillis: 7, backoffMultiplier: 1 }, Array.from({ length: 65 }, () => 7)],
  ])("makes %j into waits that grow up to the longest", (knobs, retryDelaysMillis) => {
    expect(retryOf(knobs)?.retryDelaysMillis).toEqual(retryDelaysMillis);
  });

  it.effect("is what the gateway's own calls and retries go by", () =>
    Effect.gen(function* () {
      const config = yield* Schema.decodeUnknownEffect(GatewaysConfig)({
        gateways: [
          { ...simulator, name: "plain" },
          { ...simulator, name: "turned", resilience: { maxRetries: 1, failureThreshold: 9, callsPerSecond: 7 } },
        ],
        limits: { merchantShare: 0.1 },
      });
      const { candidates, resilience, limits } = yield* Gateways.pipe(Effect.provide(layerFromConfig(config)));
      expect(candidates.map(({ retry }) => retry?.maxRetries)).toEqual([undefined, 1]);
      expect(resilience?.("turned", "default")).toMatchObject({
        failureThreshold: 9,
        successThreshold: 2,
        rate: { callsPerSecond: 7, burst: 7 },
      });
      expect(resilience?.("turned", "default")).toBe(resilience?.("turned", "default"));
      // The simulator loses answers to order.
      expect(resilience?.("plain", "default")).toMatchObject({ failureThreshold: 50 });
      expect(resilience?.("turned", "other")).toBeUndefined();
      expect(limits?.()).toEqual({ ...defaultLimits, merchantShare: 0.1 });
    }),
  );

  it.each([
    [{ maxRetries: -1 }, "maxRetries"],
    [{ maxDelayMillis: 10 }, "at least initialDelayMillis, which is 1000"],
    [{ burst: 3 }, "means nothing without callsPerSecond"],
    [{ backoffMultiplier: 0.5 }, "backoffMultiplier"],
    [{ initialDelayMs: 1_000 }, "initialDelayMs"],
  ])("is refused where it is %j, and the error says so", (resilience, message) => {
    const decoded = decode({ gateways: [{ ...simulator, resilience }] });
    expect(Result.isFailure(decoded) && decoded.failure.message).toContain(message);
  });

  it("is refused where a share is half of the window or more", () => {
    const decoded = decode({ gateways: [simulator], limits: { gatewayShare: 0.5 } });
    expect(Result.isFailure(decoded) && decoded.failure.message).toContain("gatewayShare");
  });
});
