/**
 * Tells of what happens to charges: signed webhooks, at least once, sent again until they are answered with a 2xx. Owns the
 * outbox's deliveries; the journal is its memory, so a restart goes on with what was not delivered.
 *
 * 1. An event is in the journal's order behind what it tells of, so it never tells of what a killed process would have forgotten.
 * 2. It is signed anew for each try, since a signature grows old.
 */
import { Clock, Effect, type Scope, Semaphore, Redacted } from "effect";
import { standardHeaders } from "../webhooks/standardWebhooks.ts";
import type { DurableLedger } from "./DurableLedger.ts";
import type { WebhookFaults } from "./WebhookFaults.ts";
import type { ToldEvent } from "./webhookEvents.ts";
import type { WebhookEvent, WebhookTarget } from "./WebhookOutbox.ts";

/** Sent at the same time. */
const concurrency = 16;
/** How long one try may take, in milliseconds: as long as gateways wait. */
const tryMillis = 10_000;
/** Before the second try, in milliseconds; doubles up to the longest. */
const firstPauseMillis = 250;
const longestPauseMillis = 30_000;
/** Tries until an event is given up: with the pauses above about two hours. */
const triesMax = 250;
/** How long one out of order waits for another, in milliseconds. */
const overtakenWithinMillis = 1_000;

export interface WebhookSender {
  readonly tell: (event: ToldEvent) => void;
  readonly sendTo: (target: WebhookTarget | undefined) => void;
  readonly order: (faults: WebhookFaults) => void;
  readonly ordered: () => WebhookFaults;
  /** Where they go, and how many are still to be delivered. */
  readonly report: () => { readonly url: string | null; readonly pending: number };
}

export const makeWebhookSender: (books: DurableLedger) => Effect.Effect<WebhookSender, never, Scope.Scope> =
  Effect.fnUntraced(function* ({ outbox, recordWebhook: record }) {
    const scope = yield* Effect.scope;
    const places = Semaphore.makeUnsafe(concurrency);
    const clock = yield* Clock.Clock;
    let faults: WebhookFaults = {};
    /** Events that were delivered, or given up, to see whether one has been overtaken. */
    let ended = 0;

    const post = (target: WebhookTarget, { id, body }: WebhookEvent, isForged: boolean): Effect.Effect<boolean> => {
      const secret = Redacted.make(isForged ? `not ${target.secret}` : target.secret);
      const headers = standardHeaders(secret, id, body, clock.currentTimeMillisUnsafe());
      const sent = Effect.tryPromise(async (signal) => {
        const response = await fetch(target.url, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body,
          redirect: "manual",
          signal,
        });
        await response.arrayBuffer();
        return response.ok;
      });
      return sent.pipe(
        Effect.timeout(tryMillis),
        Effect.orElseSucceed(() => false),
      );
    };

    const attempt = (event: WebhookEvent, { copies = 1, forged = false }: WebhookFaults): Effect.Effect<boolean> => {
      const { target } = outbox;
      if (target === undefined) return Effect.succeed(true);
      const all = Array.from({ length: copies }, () => post(target, event, forged));
      return Effect.map(
        Effect.all(all, { concurrency: "unbounded" }),
        (answers) => forged || answers.every((isTaken) => isTaken),
      );
    };

    const overtaken = Effect.fnUntraced(function* () {
      const before = ended;
      const until = clock.currentTimeMillisUnsafe() + overtakenWithinMillis;
      while (ended === before && clock.currentTimeMillisUnsafe() < until) yield* Effect.sleep(10);
    });

    const deliver = Effect.fnUntraced(function* (event: WebhookEvent, given: WebhookFaults, isFirst: boolean) {
      if (given.delayMs !== undefined) yield* Effect.sleep(given.delayMs);
      if (given.outOfOrder === true && isFirst) yield* overtaken();
      for (let tries = 0; tries < triesMax; tries++) {
        if (yield* places.withPermit(attempt(event, given))) break;
        yield* Effect.sleep(Math.min(firstPauseMillis * 2 ** tries, longestPauseMillis));
      }
      ended += 1;
      record({ type: "webhook-ended", id: event.id });
    });

    const begin = (event: WebhookEvent, given: WebhookFaults): void => {
      // Of two that wait for each other the later goes first.
      const isFirst = outbox.made % 2 === 1;
      Effect.runFork(Effect.forkIn(deliver(event, given, isFirst), scope));
    };

    const told = ({ type, data, chargeId }: ToldEvent): WebhookEvent => {
      const id = `evt_${chargeId.replace(/^ch_/, "")}_${outbox.made + 1}`;
      const { reference = data.charge.reference } = faults;
      const charge = { ...data.charge, reference };
      return {
        id,
        body: JSON.stringify({ id, type, created: clock.currentTimeMillisUnsafe(), data: { ...data, charge } }),
      };
    };

    for (const event of outbox.pending.values()) begin(event, {});

    return {
      tell: (happened) => {
        if (outbox.target === undefined || faults.never === true) return;
        const event = told(happened);
        record({ type: "webhook", event });
        begin(event, faults);
      },
      sendTo: (target) => record({ type: "webhook-target", ...(target === undefined ? {} : { target }) }),
      order: (order) => void (faults = order),
      ordered: () => faults,
      report: () => ({ url: outbox.target?.url ?? null, pending: outbox.pending.size }),
    };
  });
