/**
 * `POST /webhooks/<gateway>`: what a gateway sends unasked, over HTTP. What is hostile ends here: sizes, slow bodies, names that
 * are no gateway's. The status is all that a gateway needs: 2xx, or it sends again.
 *
 * | status | when                                                                             |
 * |--------|----------------------------------------------------------------------------------|
 * | 200    | durable, known before, or about nothing of ours; signed and not readable (kept)  |
 * | 401    | signed by no secret of ours, or too long ago                                     |
 * | 404    | no gateway of this name sends webhooks                                           |
 * | 405    | anything but POST                                                                |
 * | 408    | the body trickles                                                                |
 * | 413    | the body is too large                                                            |
 * | 503    | it could not be made durable: send it again                                      |
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest";
import { Clock, Effect } from "effect";
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { makeBodyReader, type BodyLimits } from "./rawBody.ts";
import type { Received, WebhookIntake } from "./WebhookIntake.ts";

/** One message of NATS holds it, by default 1 MiB with its headers; the gateways' own are a few kilobytes. */
const bodyLimits: BodyLimits = { maxBytes: 960 * 1024, withinMillis: 5_000, allBytes: 32 * 1024 * 1024 };

/** Adyen asks for these very words; everybody else looks at the status alone. */
const accepted = "[accepted]";

const answers: Readonly<Record<Received, readonly [status: number, text: string]>> = {
  accepted: [200, accepted],
  duplicate: [200, accepted],
  ignored: [200, accepted],
  // A repeat would be no more readable.
  unreadable: [200, accepted],
  forged: [401, "the signature is not right"],
  unknown_gateway: [404, "no gateway of this name sends webhooks"],
  unavailable: [503, "it could not be kept: send it again"],
};

/** Passwords are no part of what a gateway says. */
const leftOut: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"]);

const keptHeaders = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || leftOut.has(name) ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );

const text = (status: number, body: string) => HttpServerResponse.text(`${body}\n`, { status });

export const webhookRoutes = (intake: WebhookIntake["Service"]) => {
  const withBody = makeBodyReader(bodyLimits);

  const take = Effect.gen(function* () {
    const { gateway = "" } = yield* HttpRouter.params;
    if (!intake.knows(gateway)) return text(...answers.unknown_gateway);
    const incoming = NodeHttpServerRequest.toIncomingMessage(
      yield* HttpServerRequest.HttpServerRequest,
    ) as IncomingMessage;
    return yield* withBody(
      incoming,
      Effect.fnUntraced(function* (body) {
        switch (body._tag) {
          case "TooLarge":
            intake.refused(gateway, "too_large");
            return text(413, `a webhook has at most ${bodyLimits.maxBytes} bytes`);
          case "TooSlow":
          case "Gone":
            intake.refused(gateway, "too_slow");
            return HttpServerResponse.setHeader(text(408, "the body did not come in time"), "connection", "close");
          case "Busy":
            intake.refused(gateway, "unavailable");
            return text(...answers.unavailable);
          case "Read": {
            const receivedAt = yield* Clock.currentTimeMillis;
            const headers = keptHeaders(incoming.headers);
            return text(...answers[yield* intake.receive({ gateway, rawBody: body.bytes, headers, receivedAt })]);
          }
        }
      }),
    );
  });

  return HttpRouter.use((router) =>
    Effect.all([
      router.add("POST", "/webhooks/:gateway", take),
      ...(["GET", "PUT", "PATCH", "DELETE"] as const).map((method) =>
        router.add(
          method,
          "/webhooks/:gateway",
          HttpServerResponse.setHeader(text(405, "webhooks are posted"), "allow", "POST"),
        ),
      ),
    ]),
  );
};
