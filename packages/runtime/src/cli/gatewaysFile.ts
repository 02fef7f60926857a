/** The gateways a node works with: a JSON or YAML file, or the simulator. */
import { readConfiguration } from "@aegispay/gateways/configuration/readConfiguration";
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Config, Effect, Option, Result } from "effect";
import { Flag } from "effect/cli";
import { fingerprintOf, loadConfiguration } from "../config/configurationFile.ts";
import { WrongUsage } from "./output.ts";

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

/** What a node begins with, and the file to follow, where there is one. */
export interface FirstConfiguration {
  readonly config: GatewaysConfig;
  readonly followed?: { readonly file: string; readonly fingerprint: string };
}

export const readGateways = (
  file: Option.Option<string>,
  simulatorUrl: string,
): Effect.Effect<FirstConfiguration, WrongUsage> =>
  Effect.gen(function* () {
    const refuse = (message: string) => new WrongUsage({ message });
    if (Option.isSome(file)) {
      const fingerprint = yield* fingerprintOf(file.value);
      const config = yield* Effect.mapError(loadConfiguration(file.value), ({ message }) => refuse(message));
      return { config, followed: { file: file.value, fingerprint } };
    }
    const simulator = { name: "simulator", type: "simulator", url: simulatorUrl };
    const read = readConfiguration(JSON.stringify({ gateways: [simulator] }));
    if (Result.isSuccess(read)) return { config: read.success.config };
    return yield* refuse(
      `--simulator-url (AEGISPAY_SIMULATOR_URL): ${read.failure.map(({ message }) => message).join("; ")}`,
    );
  });
