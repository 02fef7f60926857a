/**
 * Executes what a committed state owes to a gateway, and turns whatever comes of it into the next command. It is given an
 * intent only after the commit that announced it is durable (law 1).
 */
import { Gateways, type Gateway, type LookUpRequest } from "@aegispay/gateways/Gateway";
import type { Given } from "@aegispay/core/payment/Given";
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import type { LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import type { ChargeIntent, GatewayIntent } from "@aegispay/core/payment/intents";
import type { Recorded, RecordOperation } from "@aegispay/core/payment/PaymentCommand";
import { Clock, Context, Effect, Layer, Random } from "effect";
import { plainTable } from "@aegispay/core/routing/RoutingTable";
import { Settings } from "../config/RuntimeSettings.ts";
import { HookCalls } from "../hooks/HookCalls.ts";
import { count, metric } from "../metrics/Metrics.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import type { CircuitKind } from "../resilience/Breakers.ts";
import { GatewayProtection, HeldBack, type Called } from "../resilience/GatewayProtection.ts";
import { healthOf, leftAloneMillis } from "../resilience/health.ts";
import { GatewayHealth } from "../routing/GatewayHealth.ts";
import { CrashPoints } from "../seam/CrashPoints.ts";
import { GatewayKeys } from "../webhooks/GatewayKeys.ts";

/**
 * Backstop behind the adapters' own time-outs (10 s for a connection, 10 s for the answer), in milliseconds: longer than
 * both, so that an adapter still says itself what was not sent.
 */
const callTimeoutMillis = 25_000;

/** How long a call waits until its key is known to be a payment's, in milliseconds. */
const rememberTimeoutMillis = 2_000;

/** What the customer brought goes first, where the gateway waits for it; an error about it says nothing of the charge. */
const askAfter = (
  { finishAction, lookUp }: Gateway,
  request: LookUpRequest,
  brought: ChargeIntent["brought"],
): Effect.Effect<LookUpOutcome> =>
  finishAction === undefined || brought === undefined
    ? lookUp(request)
    : Effect.flatMap(finishAction(request, brought), (outcome) =>
        outcome._tag === "Unknown" ? lookUp(request) : Effect.succeed(outcome),
      );

type Unanswered = Extract<LookUpOutcome, { readonly _tag: "Unknown" }>;

/** "start", "lookUp" and "resend" of a charge; of an operation "refund", "refund lookUp" and "refund resend". */
const nameOf = (intent: GatewayIntent): string => {
  const { action } = intent.round;
  if (intent.kind === "charge") return action;
  return action === "start" ? intent.operation.kind : `${intent.operation.kind} ${action}`;
};

/** Nothing was called, and nothing is known of the gateway. */
const notMine: Called<Recorded | undefined> = { value: undefined, health: "Ignored" };

/** What a customer brought back moves money; any other question does not. */
const circuitOf = (intent: GatewayIntent): CircuitKind =>
  intent.round.action !== "lookUp" || (intent.kind === "charge" && intent.brought !== undefined) ? "money" : "lookUp";

export class GatewayCalls extends Context.Service<
  GatewayCalls,
  {
    /** What a decision is given now. */
    readonly given: () => Given;
    /**
     * Waits until the round is due, goes through all that protects the gateway, looks once more whether it is mine, calls.
     * Undefined: it is not. What was held back is told as what was not sent, or not answered.
     */
    readonly perform: (
      payment: PaymentRef,
      intent: GatewayIntent,
      around: {
        readonly shard: number;
        /** Its timer has fired: it is not waited for, whatever this machine's clock says. */
        readonly isDue: boolean;
        readonly isMine: () => boolean;
        /** Told just before the call leaves. */
        readonly onCall: () => void;
      },
    ) => Effect.Effect<Recorded | undefined>;
  }
>()("@aegispay/runtime/GatewayCalls") {}

const make = Effect.gen(function* () {
  const gateways = yield* Gateways;
  const clock = yield* Clock.Clock;
  const random = yield* Random.Random;
  const { deployment } = yield* Deployment;
  const settings = yield* Settings;
  const crash = yield* CrashPoints;
  const protection = yield* GatewayProtection;
  const figures = yield* GatewayHealth;
  const hooks = yield* HookCalls;
  const keys = yield* GatewayKeys;
  const given = (): Given => ({
    at: clock.currentTimeMillisUnsafe(),
    deployment,
    candidates: gateways.candidates,
    // Only where an attempt begins is it read, and few commands begin one.
    get routing() {
      return { table: gateways.routing ?? plainTable, live: figures.live(gateways.candidates) };
    },
    policy: settings.policy,
    jitter: random.nextDoubleUnsafe(),
  });

  /** A call that dies or takes too long may have left: its outcome is unknown. */
  const bounded = <Outcome>(call: () => Effect.Effect<Outcome>) =>
    Effect.suspend(call).pipe(
      Effect.timeoutOrElse({
        duration: callTimeoutMillis,
        orElse: () => Effect.succeed({ _tag: "Unknown", reason: "no answer in time" } as const),
      }),
      Effect.catchDefect((defect) =>
        Effect.succeed({ _tag: "Unknown", reason: `the call failed: ${String(defect)}` } as const),
      ),
    );

  /** What the port is asked, and what comes of it as a command. */
  const call = (payment: PaymentRef, intent: GatewayIntent, gateway: Gateway): Effect.Effect<Recorded> => {
    const { attempt, round } = intent;
    if (intent.kind === "operation") {
      const { operation } = intent;
      const { kind, idempotencyKey, gatewayTransactionId, amount } = operation;
      const request = { kind, idempotencyKey, gatewayTransactionId, ...(amount === undefined ? {} : { amount }) };
      const about = { payment, operation: operation.number, round: round.round };
      const outcome: Effect.Effect<RecordOperation["outcome"]> =
        round.action === "lookUp"
          ? bounded(() => gateway.lookUpOperation(request))
          : bounded(() => gateway.operate(request));
      return Effect.map(outcome, (heard) => ({ type: "RecordOperation", ...about, outcome: heard, given: given() }));
    }
    const { idempotencyKey, request, startedAt, gatewayTransactionId } = attempt;
    const id = gatewayTransactionId === undefined ? {} : { gatewayTransactionId };
    const about = { payment, attempt: attempt.number, round: round.round };
    return round.action === "lookUp"
      ? Effect.map(
          bounded(() => askAfter(gateway, { idempotencyKey, ...request, startedAt, ...id }, intent.brought)),
          (outcome) => ({ type: "RecordLookUp", ...about, outcome, given: given() }),
        )
      : Effect.map(
          bounded(() => gateway.start({ idempotencyKey, ...request })),
          (outcome) => ({ type: "RecordOutcome", ...about, outcome, given: given() }),
        );
  };

  /** What was held back, as a command: a request was not sent, a question has no answer. */
  const notCalled = (payment: PaymentRef, intent: GatewayIntent, held: HeldBack): Recorded => {
    const { attempt, round } = intent;
    const { by, reason, retryAfterMillis } = held;
    const breakerOpen = by === "breaker" ? { breakerOpen: true as const } : {};
    const notSent = { _tag: "NotSent", reason, retryAfterMillis, heldBack: true, ...breakerOpen } as const;
    const unanswered: Unanswered = { _tag: "Unknown", reason };
    const isLookUp = round.action === "lookUp";
    if (intent.kind === "operation") {
      const about = { payment, operation: intent.operation.number, round: round.round };
      return { type: "RecordOperation", ...about, outcome: isLookUp ? unanswered : notSent, given: given() };
    }
    const about = { payment, attempt: attempt.number, round: round.round };
    return isLookUp
      ? { type: "RecordLookUp", ...about, outcome: unanswered, given: given() }
      : { type: "RecordOutcome", ...about, outcome: notSent, given: given() };
  };

  /** It was not asked: what was to be sent surely was not, and nothing is known of its health, it may be back at any moment. */
  const unconfigured = (payment: PaymentRef, intent: GatewayIntent): Called<Recorded> => {
    const { gateway, account } = intent.attempt;
    const reason = `gateway ${gateway} (account ${account}) is not configured here`;
    count(metric.heldBack(gateway, "unconfigured"));
    hooks.failed("gatewayUnknown", payment, reason);
    const held = new HeldBack("unconfigured", reason, settings.timerFromMillis + 1);
    return { value: notCalled(payment, intent, held), health: "Ignored" };
  };

  /**
   * For a gateway whose webhooks name nothing but the key. Done before the call leaves; where it cannot be done the call goes
   * all the same: what the gateway signs about a key is kept by the key, and the schedule of look-ups finds it there.
   */
  const rememberKey = (payment: PaymentRef, intent: GatewayIntent): Effect.Effect<void> => {
    const { attempt, round } = intent;
    if (round.action === "lookUp") return Effect.void;
    const asked = intent.kind === "charge" ? attempt : intent.operation;
    const kind = intent.kind === "charge" ? "charge" : intent.operation.kind;
    const named = gateways.find(attempt.gateway, attempt.account)?.webhooksNameOnlyKeysOf;
    if (named?.includes(kind) !== true) return Effect.void;
    return keys.remember(asked.idempotencyKey, payment).pipe(
      Effect.timeout(rememberTimeoutMillis),
      Effect.catch((cause) =>
        Effect.logWarning(`which payment the key of ${paymentKey(payment)} belongs to could not be kept`, cause),
      ),
    );
  };

  return GatewayCalls.of({
    given,
    perform: (payment, intent, { shard, isDue, isMine, onCall }) =>
      Effect.gen(function* () {
        const { gateway, account } = intent.attempt;
        const what = nameOf(intent);
        const made = Effect.flatMap(rememberKey(payment, intent), () => {
          if (!isMine()) return Effect.succeed(notMine);
          const found = gateways.find(gateway, account);
          if (found === undefined) return Effect.succeed(unconfigured(payment, intent));
          onCall();
          crash.reach("beforeCall", payment, what);
          const isCharge = intent.kind === "charge" && intent.round.action !== "lookUp";
          const sentAt = clock.monotonicTimeNanosUnsafe();
          return Effect.map(call(payment, intent, found), (value) => {
            const { outcome } = value;
            const millis = Number(clock.monotonicTimeNanosUnsafe() - sentAt) / 1e6;
            figures.observe(gateway, account, isCharge, outcome, millis);
            count(metric.gatewayCalls(gateway, what, outcome._tag));
            if (outcome._tag === "Unknown") {
              hooks.failed("gatewayUnknown", payment, `${gateway}, ${what}: ${outcome.reason}`);
            }
            crash.reach("afterCall", payment, what);
            const asked = leftAloneMillis(outcome);
            return { value, health: healthOf(outcome), ...(asked === undefined ? {} : { leaveAloneMillis: asked }) };
          });
        });
        const wait = isDue ? 0 : Math.max(0, Date.parse(intent.round.due) - clock.currentTimeMillisUnsafe());
        const site = { gateway, account, circuit: circuitOf(intent), merchant: payment.merchant, shard };
        const done = yield* protection.around(site, wait, made);
        return done instanceof HeldBack ? notCalled(payment, intent, done) : done;
      }),
  });
});

export const layerGatewayCalls = Layer.effect(GatewayCalls, make);
