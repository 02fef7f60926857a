import { Gateways } from "@aegispay/gateways/Gateway";
import { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { layerFromConfig } from "@aegispay/gateways/ReloadingGateways";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Result, Schema } from "effect";

const decode = Schema.decodeUnknownResult(GatewaysConfig, { onExcessProperty: "error" });
const simulator = { name: "simulator", type: "simulator", url: "http://127.0.0.1:8081" };

describe("the configuration of the gateways", () => {
  it.effect("makes a gateway of each entry, in their order, findable by name and account", () =>
    Effect.gen(function* () {
      const config = yield* Schema.decodeUnknownEffect(GatewaysConfig)({
        gateways: [
          { ...simulator, name: "first" },
          {
            ...simulator,
            name: "second",
            account: "eu",
            timeoutMillis: 500,
            maxConnections: 4,
            keyRetentionMillis: 60_000,
          },
        ],
      });
      const gateways = yield* Gateways.pipe(Effect.provide(layerFromConfig(config)));
      expect(gateways.candidates).toEqual([
        { gateway: "first", account: "default", keyRetentionMillis: 86_400_000 },
        { gateway: "second", account: "eu", keyRetentionMillis: 60_000 },
      ]);
      expect(gateways.find("second", "eu")).toMatchObject({ name: "second", account: "eu" });
      expect(gateways.find("second", "default")).toBe(undefined);
    }),
  );

  for (const [title, gateways, message] of [
    ["no gateway", [], "gateways"],
    ["an unknown type", [{ ...simulator, type: "stripes" }], '"simulator"'],
    ["two of one name", [simulator, { ...simulator, account: "eu" }], 'two gateways are named "simulator"'],
    ["a url that is none", [{ ...simulator, url: "localhost:8081" }], "http://127.0.0.1:8081"],
    ["a url with a query", [{ ...simulator, url: "http://localhost/?a=b" }], "no query"],
    ["a name with blanks", [{ ...simulator, name: "my gateway" }], "letters, digits"],
    ["no time at all", [{ ...simulator, timeoutMillis: 0 }], "timeoutMillis"],
    ["no memory of keys", [{ ...simulator, keyRetentionMillis: 0 }], "keyRetentionMillis"],
    ["a setting that does not exist", [{ ...simulator, timeout: 5 }], "timeout"],
  ] as const) {
    it(`is refused with ${title}, and the error says so`, () => {
      const decoded = decode({ gateways });
      expect(Result.isFailure(decoded) && decoded.failure.message).toContain(message);
    });
  }
});
