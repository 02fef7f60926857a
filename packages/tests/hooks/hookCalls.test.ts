/** The hooks of a process: who waits for a place, and what is told when one of them fails. */
import { HookCalls, layerHookCalls } from "@aegispay/runtime/hooks/HookCalls";
import type { HookError, Hooks } from "@aegispay/runtime/hooks/Hooks";
import { HooksInForce, type ConfiguredHooks } from "@aegispay/runtime/hooks/HooksInForce";
import { describe, expect, it } from "@effect/vitest";
import { Context, Effect, Fiber, Layer } from "effect";
import { create, north } from "../core/paymentExamples.ts";
import { eventually } from "../support/eventually.ts";

/** The calls, over hooks that may be replaced. */
const callsOf = Effect.fnUntraced(function* (first: ConfiguredHooks) {
  let configured: ConfiguredHooks | undefined = first;
  const inForce = Layer.succeed(HooksInForce, { current: () => configured });
  const services = yield* Layer.build(Layer.provide(layerHookCalls, inForce));
  return {
    calls: Context.get(services, HookCalls),
    replace: (next: ConfiguredHooks | undefined) => void (configured = next),
  };
});

describe("a payment that waits to be asked about", () => {
  it.live("is judged by the hooks that are in force when its turn comes", () =>
    Effect.gen(function* () {
      let release = (): void => undefined;
      const slow: Hooks = {
        validate: () => new Promise((resolve) => (release = () => resolve({ verdict: "accept" }))),
      };
      const rules = { concurrency: 1 };
      const { calls, replace } = yield* callsOf({ hooks: slow, rules });
      const first = yield* Effect.forkChild(calls.judge(create(), [north]));
      yield* Effect.sleep(10);
      const second = yield* Effect.forkChild(calls.judge(create(), [north]));
      yield* Effect.sleep(10);
      replace({ hooks: { fraudCheck: () => ({ verdict: "refuse", reason: "stolen" }) }, rules });
      release();
      expect(yield* Fiber.join(first)).not.toHaveProperty("verdicts.refusal");
      expect(yield* Fiber.join(second)).toHaveProperty("verdicts.refusal.code", "fraud_refused");
    }),
  );
});

describe("who is told", () => {
  it.live("is told of what comes next although a hook has thrown what cannot be shown", () =>
    Effect.gen(function* () {
      const told: Array<string> = [];
      const hooks: Hooks = {
        onError: ({ message }: HookError) => {
          told.push(message);
          throw Object.create(null);
        },
      };
      const { calls } = yield* callsOf({ hooks, rules: {} });
      for (const message of ["one", "two"]) calls.failed("parked", { merchant: "shop", paymentId: "p" }, message);
      yield* Effect.promise(() => eventually("both are told", () => told.length === 2));
      expect(told).toEqual(["one", "two"]);
    }),
  );
});
