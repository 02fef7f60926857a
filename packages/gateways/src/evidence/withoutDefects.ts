import { Effect } from "effect";

/** A fault of an adapter proves nothing about the charge or the operation. */
export const withoutDefects = <Outcome>(call: () => Effect.Effect<Outcome>) =>
  Effect.catchDefect(Effect.suspend(call), (defect) =>
    Effect.succeed({ _tag: "Unknown" as const, reason: `the adapter failed: ${String(defect)}` }),
  );
