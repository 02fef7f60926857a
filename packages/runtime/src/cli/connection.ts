/** Flags that say how to reach NATS; each falls back to its variable in the environment. */
import { isRoot } from "@aegispay/core/addresses/AddressBook";
import { Config, Effect, Option, Redacted } from "effect";
import { Flag } from "effect/cli";
import type { NatsAddress } from "../nats/NatsConnection.ts";
import { WrongUsage } from "./output.ts";

const optionalText = (flag: string, variable: string, description: string) =>
  Flag.String(flag).pipe(
    Flag.withDescription(`${description} (${variable})`),
    Flag.withFallbackConfig(Config.String(variable)),
    Flag.optional,
  );

export const rootFlag = Flag.String("root").pipe(
  Flag.withDescription("Subject root of the deployment (AEGISPAY_ROOT, default payments)"),
  Flag.withFallbackConfig(Config.String("AEGISPAY_ROOT")),
  Flag.withDefault("payments"),
);

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Answer with one JSON document on stdout"),
  Flag.withDefault(false),
);

export const natsFlags = {
  natsUrl: Flag.String("nats-url").pipe(
    Flag.withDescription("NATS to connect to (AEGISPAY_NATS_URL, default nats://127.0.0.1:4222)"),
    Flag.withFallbackConfig(Config.String("AEGISPAY_NATS_URL")),
    Flag.withDefault("nats://127.0.0.1:4222"),
  ),
  natsCreds: optionalText("nats-creds", "AEGISPAY_NATS_CREDS", "Credentials file"),
  natsUser: optionalText("nats-user", "AEGISPAY_NATS_USER", "User"),
  natsPassword: Flag.Redacted("nats-password").pipe(
    Flag.withDescription("Password (AEGISPAY_NATS_PASSWORD)"),
    Flag.withFallbackConfig(Config.Redacted("AEGISPAY_NATS_PASSWORD")),
    Flag.optional,
  ),
  natsTlsCa: optionalText("nats-tls-ca", "AEGISPAY_NATS_TLS_CA", "File with the certificate authority of the servers"),
  root: rootFlag,
};

interface NatsFlags {
  readonly natsUrl: string;
  readonly natsCreds: Option.Option<string>;
  readonly natsUser: Option.Option<string>;
  readonly natsPassword: Option.Option<Redacted.Redacted<string>>;
  readonly natsTlsCa: Option.Option<string>;
}

export const natsAddress = (flags: NatsFlags, name: string): NatsAddress => ({
  url: flags.natsUrl,
  name,
  ...(Option.isSome(flags.natsCreds) ? { credsFile: flags.natsCreds.value } : {}),
  ...(Option.isSome(flags.natsUser) ? { user: flags.natsUser.value } : {}),
  ...(Option.isSome(flags.natsPassword) ? { password: Redacted.value(flags.natsPassword.value) } : {}),
  ...(Option.isSome(flags.natsTlsCa) ? { tlsCaFile: flags.natsTlsCa.value } : {}),
});

export const checkRoot = (root: string): Effect.Effect<void, WrongUsage> =>
  isRoot(root)
    ? Effect.void
    : Effect.fail(
        new WrongUsage({
          message: `--root ${JSON.stringify(root)}: a subject root has lower-case letters, digits and dashes and begins with a letter`,
        }),
      );
