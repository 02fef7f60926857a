/** Settings from the environment: `AEGISPAY_SETTINGS` is a JSON object that names the settings to change. */
import { Data, Effect, Result, Schema } from "effect";
import { defaultSettings, settingsProblems, type RuntimeSettings } from "./RuntimeSettings.ts";

export class SettingsInvalid extends Data.TaggedError("SettingsInvalid")<{ readonly message: string }> {}

const millis = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 ** 31 - 1 }));
const count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }));
const delays = Schema.NonEmptyArray(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 })));
/** Their timers are named by up to three digits (Timers.ts). */
const webhookTriesMax = 100;

const Overrides = Schema.fromJsonString(
  Schema.Struct({
    leaseTtlMillis: Schema.optionalKey(millis),
    leaseRenewMillis: Schema.optionalKey(millis),
    shardWindow: Schema.optionalKey(count),
    ackWaitMillis: Schema.optionalKey(millis),
    mailboxCapacity: Schema.optionalKey(count),
    passiveActors: Schema.optionalKey(count),
    releasedActors: Schema.optionalKey(count),
    actorRestartMillis: Schema.optionalKey(millis),
    actorCrashLimit: Schema.optionalKey(count),
    timerFromMillis: Schema.optionalKey(millis),
    handOverMillis: Schema.optionalKey(millis),
    batchFromCommits: Schema.optionalKey(count),
    batchMaxCommits: Schema.optionalKey(count),
    batchMaxBytes: Schema.optionalKey(count),
    batchesInFlight: Schema.optionalKey(count),
    appendTimeoutMillis: Schema.optionalKey(millis),
    lossConfirmMillis: Schema.optionalKey(millis),
    gatewayConcurrency: Schema.optionalKey(count),
    drainMillis: Schema.optionalKey(millis),
    webhookTriesAtMillis: Schema.optionalKey(delays.check(Schema.isMaxLength(webhookTriesMax))),
    policy: Schema.optionalKey(
      Schema.Struct({
        maxRetries: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }))),
        retryDelaysMillis: Schema.optionalKey(delays),
        heldBackDelaysMillis: Schema.optionalKey(delays),
        createAgainDelaysMillis: Schema.optionalKey(delays),
        retryAfterMaxMillis: Schema.optionalKey(millis),
        lookUpDelaysMillis: Schema.optionalKey(delays),
        resendForMillis: Schema.optionalKey(millis),
        keyRetentionMarginMillis: Schema.optionalKey(millis),
        customerWaitMillis: Schema.optionalKey(millis),
        authorizationForMillis: Schema.optionalKey(millis),
        expireAgainMillis: Schema.optionalKey(millis),
        maxAttempts: Schema.optionalKey(count),
        reviewEveryMillis: Schema.optionalKey(millis),
        maxRounds: Schema.optionalKey(count),
      }),
    ),
  }),
);

const decode = Schema.decodeUnknownResult(Overrides, { onExcessProperty: "error" });

/** The defaults with the given changes, checked against each other. */
export const readSettings = (
  given: { readonly nodeId: string; readonly root: string },
  json: string | undefined,
): Effect.Effect<RuntimeSettings, SettingsInvalid> => {
  const decoded = json === undefined || json === "" ? Result.succeed({}) : decode(json);
  if (Result.isFailure(decoded)) {
    return Effect.fail(new SettingsInvalid({ message: `AEGISPAY_SETTINGS: ${decoded.failure.message}` }));
  }
  const { policy, ...rest } = decoded.success as typeof Overrides.Type;
  const settings: RuntimeSettings = {
    ...defaultSettings,
    ...rest,
    ...given,
    policy: { ...defaultSettings.policy, ...policy },
  };
  const problems = settingsProblems(settings);
  return problems.length === 0
    ? Effect.succeed(settings)
    : Effect.fail(new SettingsInvalid({ message: `the settings contradict each other: ${problems.join("; ")}` }));
};
