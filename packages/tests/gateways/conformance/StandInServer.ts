/**
 * An HTTP server in the place of a gateway. A stand-in brings the gateway's protocol as a function from request to answer;
 * this file brings what every gateway's network can do to it. A fault strikes the next request that moves money, once.
 */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Effect, type Scope } from "effect";

export interface StandInRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface StandInAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly document: unknown;
}

/** How a gateway says the noes that have nothing to do with the card. */
export interface StandInErrors {
  readonly inFlight: StandInAnswer;
  readonly rateLimited: StandInAnswer;
  readonly unauthorized: StandInAnswer;
  readonly broken: StandInAnswer;
}

export type Fault =
  /** Done, and its answer is lost: the connection drops, or nothing more is heard on it. */
  | "lose the answer"
  | "never answer"
  /** Dropped before anything is done. */
  | "reset"
  | "break before"
  | "break after"
  | "answer nonsense"
  | "say it is in flight"
  | "limit the rate"
  | "refuse the key";

export interface StandInServer {
  readonly url: string;
  /** Strikes the next request that moves money, or one after it. */
  readonly fault: (fault: Fault, skipped?: number) => void;
  /** Every request that has come, in its order. */
  readonly requests: ReadonlyArray<StandInRequest>;
}

type Handle = (request: StandInRequest) => StandInAnswer | Promise<StandInAnswer>;

const listen = (server: Server) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
    () => Effect.sync(() => void server.close().closeAllConnections()),
  );

export const standInServer = Effect.fnUntraced(function* (
  handle: Handle,
  errors: StandInErrors,
): Effect.fn.Return<StandInServer, never, Scope.Scope> {
  const requests: Array<StandInRequest> = [];
  let next: { readonly fault: Fault; skipped: number } | undefined;
  const strikeOf = ({ method }: StandInRequest): Fault | undefined => {
    if (method !== "POST" || next === undefined) return undefined;
    next.skipped -= 1;
    if (next.skipped >= 0) return undefined;
    const { fault } = next;
    next = undefined;
    return fault;
  };
  const server = createServer((incoming, response) => {
    const chunks: Array<Buffer> = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://stand-in");
      const request: StandInRequest = {
        method: incoming.method ?? "",
        path: pathname,
        query: searchParams,
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      requests.push(request);
      const strike = strikeOf(request);
      const answer = ({ status, headers = {}, document }: StandInAnswer) => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(typeof document === "string" ? document : JSON.stringify(document));
      };
      switch (strike) {
        case "reset":
          return incoming.socket.resetAndDestroy();
        case "break before":
          return answer(errors.broken);
        case "say it is in flight":
          return answer(errors.inFlight);
        case "limit the rate":
          return answer(errors.rateLimited);
        case "refuse the key":
          return answer(errors.unauthorized);
      }
      return void Promise.resolve(handle(request)).then((answered) => {
        switch (strike) {
          case "lose the answer":
            return incoming.socket.destroy();
          case "never answer":
            return undefined;
          case "break after":
            return answer(errors.broken);
          case "answer nonsense":
            return answer({ status: 200, document: "<html>be right back</html>" });
          default:
            return answer(answered);
        }
      });
    });
  });
  const url = yield* listen(server);
  return {
    url,
    requests,
    fault: (fault, skipped = 0) => {
      next = { fault, skipped };
    },
  };
});
