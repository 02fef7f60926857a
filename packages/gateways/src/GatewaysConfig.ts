/**
 * The gateways of a deployment, from its configuration (the file that AEGISPAY_GATEWAYS names):
 *
 *     { "gateways": [ { "name": "simulator", "type": "simulator", "url": "http://127.0.0.1:8081" } ] }
 *
 * Their order is the order in which they are tried.
 */
import { Effect, Layer, Schema } from "effect";
import { Gateways } from "./Gateway.ts";
import { makeSimulatorGateway } from "./simulator/SimulatorGateway.ts";

/** Names and accounts stand in events and metrics for ever: short, and plain enough to be a label. */
const Label = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/, { expected: "1 to 64 letters, digits, _ or -" }),
);

const HttpUrl = Schema.String.check(
  Schema.makeFilter((text: string) => {
    const url = URL.parse(text);
    if (url?.protocol !== "http:") return "the simulator's url is like http://127.0.0.1:8081";
    return url.search === "" && url.hash === "" ? undefined : "a gateway's url has no query and no fragment";
  }),
);

const oneDayMillis = 86_400_000;

const SimulatorConfig = Schema.Struct({
  name: Label,
  type: Schema.Literal("simulator"),
  url: HttpUrl,
  /** Which of our accounts there. Default "default". */
  account: Schema.optionalKey(Label),
  /** 1 to 600000, default 10000. */
  timeoutMillis: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 600_000 }))),
  /** Requests under way at once, of each process: 1 to 10000, default 128. */
  maxConnections: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
  /**
   * How long the gateway remembers an idempotency key; a request is sent again only well inside it. Default one day, as
   * Stripe does: the simulator never forgets, so that a test may order what a real gateway would.
   */
  keyRetentionMillis: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 365 * oneDayMillis })),
  ),
});

/** To be decoded with `onExcessProperty: "error"`: a setting that is misspelt must not silently be its default. */
export const GatewaysConfig = Schema.Struct({
  gateways: Schema.NonEmptyArray(SimulatorConfig).check(
    Schema.makeFilter((gateways: ReadonlyArray<{ readonly name: string }>) => {
      const names = gateways.map((gateway) => gateway.name);
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      return twice === undefined ? undefined : `two gateways are named ${JSON.stringify(twice)}`;
    }),
  ),
});
export type GatewaysConfig = typeof GatewaysConfig.Type;

/** The `Gateways` service with an adapter for each configured gateway; their connections close with the layer. */
export const layerFromConfig = (config: GatewaysConfig): Layer.Layer<Gateways> =>
  Layer.effect(
    Gateways,
    Effect.map(
      Effect.forEach(config.gateways, (gateway) => makeSimulatorGateway({ account: "default", ...gateway })),
      (gateways) => ({
        candidates: config.gateways.map(({ name, account = "default", keyRetentionMillis = oneDayMillis }) => ({
          gateway: name,
          account,
          keyRetentionMillis,
        })),
        find: (name: string, account: string) =>
          gateways.find((gateway) => gateway.name === name && gateway.account === account),
      }),
    ),
  );
