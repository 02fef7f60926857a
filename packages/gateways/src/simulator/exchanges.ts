/** Reading the simulator's requests and putting its replies into HTTP. */
import type { IncomingMessage } from "node:http";
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest";
import type { Schema } from "effect";
import { Effect, Result } from "effect";
import { HttpRouter, type HttpServerRequest, HttpServerResponse } from "effect/http";
import type { HttpMethod } from "effect/http/HttpMethod";
import type { PlatformError } from "effect/PlatformError";
import { refusal, type Reply } from "./Reply.ts";

type Request = HttpServerRequest.HttpServerRequest;

export const invalid = (message: string): Reply => refusal(400, "invalid_request", message);

export const readText = (request: Request): Effect.Effect<string, Reply> =>
  Effect.mapError(request.text, (error) =>
    error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
      ? refusal(413, "payload_too_large", "the body is larger than 64 KiB")
      : invalid("the body could not be read"),
  );

/** A body as JSON, `undefined` where it is empty; fails with the refusal to answer. */
export const parseJson = (text: string): Effect.Effect<unknown, Reply> => {
  if (text === "") return Effect.undefined;
  return Effect.try({ try: (): unknown => JSON.parse(text), catch: () => invalid("the body is not JSON") });
};

type Decode<A> = (body: unknown) => Result.Result<A, Schema.SchemaError>;

export const decodeBody = <A>(body: unknown, decode: Decode<A>): Effect.Effect<A, Reply> => {
  const decoded = decode(body);
  return Result.isSuccess(decoded) ? Effect.succeed(decoded.success) : Effect.fail(invalid(decoded.failure.message));
};

export const readBody = <A>(request: Request, decode: Decode<A>): Effect.Effect<A, Reply> =>
  Effect.flatMap(Effect.flatMap(readText(request), parseJson), (body) => decodeBody(body, decode));

export const readKey = (request: Request): Effect.Effect<string, Reply> => {
  const key = request.headers["idempotency-key"] ?? "";
  return key.length >= 1 && key.length <= 255
    ? Effect.succeed(key)
    : Effect.fail(invalid("an Idempotency-Key header of 1 to 255 characters is needed"));
};

export const jsonResponse = (status: number, document: unknown, headers?: Record<string, string>) =>
  HttpServerResponse.text(JSON.stringify(document), {
    status,
    contentType: "application/json",
    ...(headers === undefined ? {} : { headers }),
  });

/** Drops the connection of this request; the server then interrupts the request's fiber. */
export const drop = (request: Request, how: "reset" | "close") =>
  Effect.suspend(() => {
    const { socket } = NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage;
    if (how === "reset") socket.resetAndDestroy();
    else socket.destroy();
    return Effect.never;
  });

export const respond = (request: Request, reply: Reply) => {
  if ("dropped" in reply) return drop(request, "close");
  const headers = reply.replayed === true ? { "idempotent-replayed": "true" } : undefined;
  return Effect.succeed(jsonResponse(reply.status, reply.document, headers));
};

export const isReply = (error: Reply | PlatformError): error is Reply => !("_tag" in error);

export const ledgerFailed = (error: PlatformError) =>
  Effect.succeed(jsonResponse(500, { error: { code: "ledger_unwritable", message: error.message } }));

/** A path with the methods it knows; the others are answered 405 instead of a 404 that would deny the path. */
export const resource = <R>(
  path: HttpRouter.PathInput,
  handlers: Partial<Record<HttpMethod, Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>>>,
) => {
  const allow = Object.keys(handlers).join(", ");
  const error = { code: "method_not_allowed", message: `${path} answers ${allow}` };
  const notAllowed = Effect.succeed(jsonResponse(405, { error }, { allow }));
  return (["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const).map((method) =>
    HttpRouter.route(method, path, handlers[method] ?? notAllowed),
  );
};
