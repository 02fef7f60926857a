/**
 * `/3ds/{charge}`: the page to which a customer is sent, and on which they pass or fail 3-D Secure. Programs post
 * `{"result":"succeeded"|"failed"}` to it. Whoever never comes back leaves the charge in requires_action.
 */
import { Effect, Schema } from "effect";
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http";
import type { DurableLedger } from "./DurableLedger.ts";
import { decodeBody, isReply, ledgerFailed, parseJson, readText, resource, respond } from "./exchanges.ts";
import type { Orders } from "./Orders.ts";

const decodeResult = Schema.decodeUnknownResult(Schema.Struct({ result: Schema.Literals(["succeeded", "failed"]) }), {
  onExcessProperty: "error",
});

const page = (status: number, text: string, rest = "") =>
  HttpServerResponse.text(
    `<!doctype html><meta charset="utf-8"><title>3-D Secure (simulated)</title><h1>3-D Secure</h1><p>${text}</p>${rest}`,
    { status, contentType: "text/html; charset=utf-8" },
  );

const buttons = `<form method="post">
<button name="result" value="succeeded">Complete</button> <button name="result" value="failed">Fail</button>
</form>`;

export const challengeRoutes = (books: DurableLedger, orders: Orders) => {
  const show = Effect.map(HttpRouter.params, ({ id = "" }) => {
    const charge = books.ledger.byId(id)?.now;
    if (charge === undefined) return page(404, "There is no such charge.");
    return charge.status === "requires_action"
      ? page(200, `Pay ${charge.amount} minor units of ${charge.currency}?`, buttons)
      : page(200, `Nothing is to be done here: the charge is ${charge.status}.`);
  });

  const complete = Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest;
    const { id = "" } = yield* HttpRouter.params;
    let isForm = false;
    const answer = Effect.gen(function* () {
      const text = yield* readText(request);
      // By the body and not by its type, since `curl -d` calls everything a form.
      isForm = text.startsWith("result=");
      const sent = isForm ? Object.fromEntries(new URLSearchParams(text)) : yield* parseJson(text);
      const { result } = yield* decodeBody(sent, decodeResult);
      return yield* orders.change(id, { type: "authentication", result });
    });
    const reply = yield* Effect.catchIf(answer, isReply, (refused) => Effect.succeed(refused));
    if (!isForm || "dropped" in reply) return yield* respond(request, reply);
    const now = books.ledger.byId(id)?.now.status ?? "not there";
    return page(reply.status, `The charge is ${now}.`);
  }).pipe(Effect.catch(ledgerFailed));

  return resource("/3ds/:id", { GET: show, POST: complete });
};
