/**
 * Secrets stand in the environment; a configuration only names them: `{ "env": "STRIPE_SECRET_KEY" }`. So a configuration can
 * be read, shown and kept by anybody.
 */
import { Config, Effect, type Redacted, Schema } from "effect";

export const SecretReference = Schema.Struct({
  env: Schema.String.check(
    Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { expected: "the name of an environment variable" }),
  ),
}).annotate({ message: "expected the name of the environment variable that holds it: { env: NAME }" });
export type SecretReference = typeof SecretReference.Type;

/** It is not there, or not of the form that it must have; the message names it and never shows it. */
export class SecretMissing extends Schema.TaggedError<SecretMissing>()("SecretMissing", {
  message: Schema.String,
  /** Where the entry of its gateway names it: `secretKey`, `webhookSecrets[0]`. */
  field: Schema.optionalKey(Schema.String),
}) {}

/** A secret that was pasted in the place of a name may be a good name too: it is shown only as a variable is usually written. */
const shown = (env: string): string =>
  /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(env) && env.length <= 64 ? ` ${env}` : "";

/** Reads the secrets of one gateway; `field` is where its configuration names it. An empty value is as good as none. */
export const readSecret = (
  gateway: string,
  field: string,
  { env }: SecretReference,
): Effect.Effect<Redacted.Redacted, SecretMissing> =>
  Effect.gen(function* () {
    yield* Config.NonEmptyString(env);
    return yield* Config.Redacted(env);
  }).pipe(
    Effect.mapError(
      () =>
        new SecretMissing({
          message: `gateway ${gateway}: ${field} names the environment variable${shown(env)}, which is not set`,
          field,
        }),
    ),
  );

export const readSecrets = (gateway: string, field: string, references: ReadonlyArray<SecretReference> = []) =>
  Effect.forEach(references, (reference, index) => readSecret(gateway, `${field}[${index}]`, reference));
