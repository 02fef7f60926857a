/**
 * The hooks of a process, as its actors meet them. Owns the places of those that are asked and what waits to be told.
 *
 * Invariants:
 * 1. Hooks are asked about at most so many payments at once; further ones wait, each in its own actor.
 * 2. Who is told (onEvent, onError) is told one thing after the other, in the order of what happened here; what comes while
 *    its queue is full is left out and counted. Nothing ever waits for it.
 * 3. A failure of onError is told to nobody.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { Candidate } from "@aegispay/core/payment/Given";
import type { Create } from "@aegispay/core/payment/PaymentCommand";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { defaultTimeLimitMillis } from "@aegispay/gateways/configuration/hooksConfig";
import { Clock, Context, Effect, Layer, Queue, Semaphore } from "effect";
import { count, metric, observe } from "../metrics/Metrics.ts";
import { askHook } from "./askHook.ts";
import { asReason } from "./hookAnswers.ts";
import type { HookError, HookEvent } from "./Hooks.ts";
import { HooksInForce } from "./HooksInForce.ts";
import { judgeCreate, type Judgement } from "./judgeCreate.ts";

export interface HookCallsShape {
  /** Whether any hook is asked before a payment begins. */
  readonly areAsked: () => boolean;
  /** To be asked only about a payment that has no log. */
  readonly judge: (create: Create, candidates: ReadonlyArray<Candidate>) => Effect.Effect<Judgement>;
  /** Events of this process that are durable now. */
  readonly committed: (payment: PaymentRef, state: string, events: ReadonlyArray<PaymentEvent>) => void;
  readonly failed: (kind: HookError["kind"], payment: PaymentRef, message: string) => void;
}

/** A process without hooks unless its composition says otherwise. */
export const HookCalls = Context.Reference<HookCallsShape>("@aegispay/runtime/HookCalls", {
  defaultValue: () => ({
    areAsked: () => false,
    judge: () => Effect.succeed({ _tag: "Judged", verdicts: { events: [] } }),
    committed: () => undefined,
    failed: () => undefined,
  }),
});

const defaultConcurrency = 64;
const defaultQueueLength = 1_000;
/** Between two lines of the log about failures of one hook, in milliseconds. */
const logEveryMillis = 1_000;

const make = Effect.gen(function* () {
  const inForce = yield* HooksInForce;
  const fork = Effect.runForkWith(yield* Effect.context());
  const clock = yield* Clock.Clock;
  let places = { size: defaultConcurrency, permits: Semaphore.makeUnsafe(defaultConcurrency) };

  /** Another size takes effect for those who come from now on. */
  const placesOf = (size: number): Semaphore.Semaphore => {
    if (places.size !== size) places = { size, permits: Semaphore.makeUnsafe(size) };
    return places.permits;
  };

  const lastLogs = new Map<string, { readonly atMillis: number; unsaid: number }>();
  /** A hook that is down fails for every payment: one line a second says so. */
  const log = (hook: string, text: string): void => {
    const atMillis = clock.currentTimeMillisUnsafe();
    const last = lastLogs.get(hook);
    if (last !== undefined && atMillis - last.atMillis < logEveryMillis) return void last.unsaid++;
    lastLogs.set(hook, { atMillis, unsaid: 0 });
    const unsaid = last === undefined || last.unsaid === 0 ? "" : ` (${last.unsaid} more were not logged)`;
    fork(Effect.logWarning(`hook ${hook}: ${asReason(text)}${unsaid}`));
  };

  const makeTelling = Effect.fnUntraced(function* <Told>(
    hook: "onEvent" | "onError",
    onFailure: (told: Told, reason: string) => void,
  ) {
    const waiting = yield* Queue.unbounded<Told>();
    let length = 0;
    const tellNext = Effect.gen(function* () {
      const told = yield* Queue.take(waiting);
      length--;
      const configured = inForce.current();
      const tell = configured?.hooks[hook] as ((told: Told) => unknown) | undefined;
      if (configured === undefined || tell === undefined) return;
      const limit = configured.rules[hook]?.timeLimitMillis ?? defaultTimeLimitMillis;
      const asked = yield* askHook(() => tell.call(configured.hooks, told), limit);
      count(metric.hookCalls(hook, asked._tag === "Answered" ? "told" : asked._tag.toLowerCase()));
      observe(metric.hookSeconds, asked.millis / 1_000);
      if (asked._tag === "Answered") return;
      log(hook, asked.reason);
      onFailure(told, asked.reason);
    });
    yield* Effect.forkScoped(Effect.forever(tellNext));
    return (told: () => Told): void => {
      const configured = inForce.current();
      if (configured?.hooks[hook] === undefined) return;
      if (length >= (configured.rules[hook]?.queueLength ?? defaultQueueLength)) {
        return count(metric.hookCalls(hook, "left out"));
      }
      length++;
      Queue.offerUnsafe(waiting, told());
    };
  });

  const tellError = yield* makeTelling<HookError>("onError", () => undefined);
  const failed: HookCallsShape["failed"] = (kind, { merchant, paymentId }, message) =>
    tellError(() => ({ kind, merchant, paymentId, message: asReason(message) }));
  const tellEvent = yield* makeTelling<HookEvent>("onEvent", (event, reason) =>
    failed("hookFailed", event, `onEvent: ${reason}`),
  );

  const judgeNow = (create: Create, candidates: ReadonlyArray<Candidate>): Effect.Effect<Judgement> => {
    const configured = inForce.current();
    if (configured === undefined) return Effect.succeed<Judgement>({ _tag: "Judged", verdicts: { events: [] } });
    return judgeCreate(configured, create, candidates, (hook, result, millis, failure) => {
      count(metric.hookCalls(hook, result));
      observe(metric.hookSeconds, millis / 1_000);
      if (failure === undefined) return;
      failed("hookFailed", create.payment, `${hook}: ${failure}`);
      const { merchant, paymentId } = create.payment;
      log(hook, `payment ${merchant}/${paymentId}: ${failure}`);
    });
  };

  return {
    areAsked: () => {
      const { validate, enrich, fraudCheck, route } = inForce.current()?.hooks ?? {};
      return (validate ?? enrich ?? fraudCheck ?? route) !== undefined;
    },
    judge: (create, candidates) =>
      Effect.suspend(() => {
        // Whoever has waited for a place is asked about by the hooks of then.
        const judged = Effect.suspend(() => judgeNow(create, candidates));
        return placesOf(inForce.current()?.rules.concurrency ?? defaultConcurrency).withPermit(judged);
      }),
    committed: ({ merchant, paymentId }, state, events) => {
      if (inForce.current()?.hooks.onEvent === undefined) return;
      for (const { version, type, at, data } of events) {
        tellEvent(() => structuredClone({ merchant, paymentId, state, event: { version, type, at, data } }));
      }
    },
    failed,
  } satisfies HookCallsShape;
});

export const layerHookCalls: Layer.Layer<never, never, HooksInForce> = Layer.effect(HookCalls, make);
