/**
 * Follows the configuration's file while a primary runs. Owns nothing but what it has seen of the file.
 *
 * Invariants:
 * 1. A file that is wrong changes nothing: what was in force stays, and the error names line and field.
 * 2. A file is read only when it has not changed for one look, and what is read counts only if it has not changed meanwhile:
 *    the half of a list is a list too.
 */
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Effect, Exit, Result } from "effect";
import { ConfigurationInvalid, fingerprintOf, loadConfiguration } from "./configurationFile.ts";

/** Between two looks at the file, in milliseconds. Not a watch: those miss files that are replaced, and mounted ones. */
const lookMillis = 500;

export interface ConfigurationWatch {
  readonly file: string;
  readonly first: GatewaysConfig;
  /** How the file looked before the first configuration was read. */
  readonly fingerprint: string;
  readonly onChange: (config: GatewaysConfig) => Effect.Effect<void>;
  /** Told of each change of the file. */
  readonly onResult: (result: "applied" | "unchanged" | "refused") => void;
}

/** Goes on until it is interrupted. */
export const watchConfiguration = ({ file, first, fingerprint, onChange, onResult }: ConfigurationWatch) =>
  Effect.gen(function* () {
    let inForce = JSON.stringify(first);
    let done = fingerprint;
    let seen = fingerprint;
    for (;;) {
      yield* Effect.sleep(lookMillis);
      const now = yield* fingerprintOf(file);
      const isStill = now === seen;
      seen = now;
      if (now === done || !isStill) continue;
      // A mistake of ours must not end the watch: the next change may be a good one.
      const loading = Effect.catchDefect(loadConfiguration(file), (defect) =>
        Effect.fail(new ConfigurationInvalid({ message: `${file}: ${String(defect)}` })),
      );
      const loaded = yield* Effect.result(loading);
      if ((yield* fingerprintOf(file)) !== now) continue;
      done = now;
      if (Result.isFailure(loaded)) {
        onResult("refused");
        yield* Effect.logError(
          `the configuration stays as it was, what is in the file now is wrong:\n${loaded.failure.message}`,
        );
        continue;
      }
      const text = JSON.stringify(loaded.success);
      if (text === inForce) {
        onResult("unchanged");
        continue;
      }
      // Nor must a process that cannot work with what is right: who went on with nobody watching would never be told again.
      const applied = yield* Effect.exit(onChange(loaded.success));
      if (Exit.isFailure(applied)) {
        onResult("refused");
        yield* Effect.logError(
          "the configuration stays as it was, what is in the file now could not be used",
          applied.cause,
        );
        continue;
      }
      inForce = text;
      onResult("applied");
      const names = loaded.success.gateways.map(({ name }) => name).join(", ");
      yield* Effect.logInfo(`the configuration in ${file} is in force now; gateways: ${names}`);
    }
  });
