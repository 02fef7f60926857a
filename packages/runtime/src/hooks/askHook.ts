/** Asks one hook, within its time. Never fails and never waits longer, whatever the hook does short of stopping the process. */
import { Cause, Clock, Effect, Exit, Fiber, Option } from "effect";
import type { Answer } from "./Hooks.ts";

export type Asked =
  | { readonly _tag: "Answered"; readonly value: unknown; readonly millis: number }
  | { readonly _tag: "Late" | "Threw"; readonly reason: string; readonly millis: number };

const isPromise = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function";

const asEffect = (answer: Answer<unknown>): Effect.Effect<unknown, unknown> => {
  if (Effect.isEffect(answer)) return answer as Effect.Effect<unknown, unknown>;
  return isPromise(answer) ? Effect.tryPromise({ try: () => answer, catch: (cause) => cause }) : Effect.succeed(answer);
};

/** What was thrown may be anything, also something that throws when it is looked at. */
const describe = (cause: Cause.Cause<unknown>): string => {
  try {
    const thrown = Cause.squash(cause);
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return "with something that cannot be shown";
  }
};

export const askHook = (
  call: (signal: AbortSignal) => Answer<unknown>,
  timeLimitMillis: number,
): Effect.Effect<Asked> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock;
    const begunAt = clock.monotonicTimeNanosUnsafe();
    const millis = (): number => Math.round(Number(clock.monotonicTimeNanosUnsafe() - begunAt) / 1e6);
    const abort = new AbortController();
    // A fiber of its own: one that cannot be interrupted would otherwise be waited for.
    const fiber = yield* Effect.forkDetach(Effect.suspend(() => asEffect(call(abort.signal))));
    const giveUp = Effect.sync(() => {
      abort.abort();
      fiber.interruptUnsafe();
    });
    const exit = yield* Fiber.await(fiber).pipe(
      Effect.timeoutOption(timeLimitMillis),
      Effect.onInterrupt(() => giveUp),
    );
    const tookMillis = millis();
    // One that did not yield meanwhile has answered before its timer could ring.
    if (Option.isNone(exit) || tookMillis > timeLimitMillis) {
      yield* giveUp;
      const reason = `it gave no answer within ${timeLimitMillis} ms`;
      return { _tag: "Late", reason, millis: tookMillis } as const;
    }
    return Exit.isSuccess(exit.value)
      ? ({ _tag: "Answered", value: exit.value.value, millis: tookMillis } as const)
      : ({ _tag: "Threw", reason: `it failed: ${describe(exit.value.cause)}`, millis: tookMillis } as const);
  });
