/** The gateways a node works with: a JSON or YAML file, or the simulator. */
import { checkGateways, GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Config, Effect, Option, Result, Schema } from "effect";
import { Flag } from "effect/cli";
import * as Yaml from "effect/encoding/Yaml";
import { readFileSync } from "node:fs";
import { Refused } from "./output.ts";

export const gatewayFlags = {
  gateways: Flag.String("gateways").pipe(
    Flag.withDescription("JSON or YAML file with the gateways (AEGISPAY_GATEWAYS)"),
    Flag.withFallbackConfig(Config.String("AEGISPAY_GATEWAYS")),
    Flag.optional,
  ),
  simulatorUrl: Flag.String("simulator-url").pipe(
    Flag.withDescription(
      "Without a gateways file: the simulator to charge at (AEGISPAY_SIMULATOR_URL, default http://127.0.0.1:8081)",
    ),
    Flag.withFallbackConfig(Config.String("AEGISPAY_SIMULATOR_URL")),
    Flag.withDefault("http://127.0.0.1:8081"),
  ),
};

const decode = Schema.decodeUnknownResult(GatewaysConfig, { onExcessProperty: "error" });

export const readGateways = (
  file: Option.Option<string>,
  simulatorUrl: string,
): Effect.Effect<GatewaysConfig, Refused> =>
  Effect.suspend(() => {
    const refuse = (problem: string) => Effect.fail(new Refused({ message: problem }));
    let document: unknown = { gateways: [{ name: "simulator", type: "simulator", url: simulatorUrl }] };
    if (Option.isSome(file)) {
      try {
        document = Yaml.parse(readFileSync(file.value, "utf8"));
      } catch (cause) {
        return refuse(
          `the gateways file ${file.value} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        );
      }
    }
    const unusable = (problem: string) =>
      refuse(`the gateways ${Option.isSome(file) ? `file ${file.value}` : ""} cannot be used: ${problem}`);
    const decoded = decode(document);
    if (Result.isFailure(decoded)) return unusable(decoded.failure.message);
    const config = decoded.success;
    return Effect.matchEffect(checkGateways(config), {
      onFailure: ({ message }) => unusable(message),
      onSuccess: () => Effect.succeed(config),
    });
  });
