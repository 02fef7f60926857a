/** `/admin/webhooks`: where the simulator's webhooks go, and what is to go wrong with them. */
import { Effect, Schema } from "effect";
import { HttpServerRequest } from "effect/http";
import { isReply, jsonResponse, ledgerFailed, readBody, resource, respond } from "./exchanges.ts";
import type { DurableLedger } from "./DurableLedger.ts";
import type { Reply } from "./Reply.ts";
import { WebhookFaults } from "./WebhookFaults.ts";
import type { WebhookSender } from "./WebhookSender.ts";

const strict = { onExcessProperty: "error" } as const;
const isUrl = Schema.makeFilter((text: string) =>
  /^https?:$/.test(URL.parse(text)?.protocol ?? "")
    ? undefined
    : "a webhook's url is like http://127.0.0.1:8080/webhooks/simulator",
);
const Target = Schema.Struct({ url: Schema.String.check(isUrl), secret: Schema.NonEmptyString });
const decodeTarget = Schema.decodeUnknownResult(Target, strict);
const decodeFaults = Schema.decodeUnknownResult(WebhookFaults, strict);

export const webhookRoutes = (books: DurableLedger, sender: WebhookSender) => {
  type Request = HttpServerRequest.HttpServerRequest;
  const ordered = (order: (request: Request) => Effect.Effect<unknown, Reply>) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest;
      const done = Effect.map(order(request), (document): Reply => ({ status: 200, document }));
      const reply = yield* Effect.catchIf(done, isReply, (refused) => Effect.succeed(refused));
      yield* books.written;
      return yield* respond(request, reply);
    }).pipe(Effect.catch(ledgerFailed));

  const report = Effect.sync(() => jsonResponse(200, sender.report()));
  const showFaults = Effect.sync(() => jsonResponse(200, sender.ordered()));

  return [
    ...resource("/admin/webhooks", {
      PUT: ordered((request) =>
        Effect.map(readBody(request, decodeTarget), (target) => {
          sender.sendTo(target);
          return sender.report();
        }),
      ),
      GET: report,
      DELETE: ordered(() =>
        Effect.sync(() => {
          sender.sendTo(undefined);
          return sender.report();
        }),
      ),
    }),
    ...resource("/admin/webhooks/faults", {
      PUT: ordered((request) =>
        Effect.map(readBody(request, decodeFaults), (faults) => {
          sender.order(faults);
          return sender.ordered();
        }),
      ),
      GET: showFaults,
      DELETE: ordered(() =>
        Effect.sync(() => {
          sender.order({});
          return sender.ordered();
        }),
      ),
    }),
  ];
};
