import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { StartRequest } from "@aegispay/gateways/Gateway";
import { makeSimulatorGateway, type SimulatorGatewayOptions } from "@aegispay/gateways/simulator/SimulatorGateway";
import { describe, expect, it } from "@effect/vitest";
import { Deferred, Effect, Fiber, type Scope } from "effect";
import { TestClock } from "effect/testing";
import { runningSimulator } from "./simulatorHarness.ts";

const gatewayAt = (url: string, options: Partial<SimulatorGatewayOptions> = {}) =>
  makeSimulatorGateway({ name: "simulator", account: "default", url, ...options });

const request = (idempotencyKey: string, token = "tok_visa"): StartRequest => ({
  idempotencyKey,
  reference: "shop/order-1",
  amount: { value: 1999, currency: "USD" },
  token,
  capture: "automatic",
});

/** A gateway that treats each connection as `onConnection` does. */
const socketServer = (onConnection: (socket: Socket) => void): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const sockets = new Set<Socket>();
        const server = createSocketServer((socket) => {
          sockets.add(socket);
          socket.on("error", () => undefined);
          onConnection(socket);
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        return { server, sockets };
      }),
      ({ server, sockets }) =>
        Effect.sync(() => {
          server.close();
          for (const socket of sockets) socket.destroy();
        }),
    ),
    ({ server }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );

/** A gateway that answers each request as `onRequest` does. */
const httpServer = (onRequest: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const server = createServer((incoming, response) => {
          incoming.resume().on("end", () => onRequest(incoming, response));
        }).listen(0, "127.0.0.1");
        await once(server, "listening");
        return server;
      }),
      (server) => Effect.sync(() => void server.close().closeAllConnections()),
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );

const answering = (status: number, document: unknown) =>
  httpServer((_, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof document === "string" ? document : JSON.stringify(document));
  });

const succeeded = { id: "ch_1", status: "succeeded", amount: 1999, currency: "USD", idempotencyKey: "key-1" };

const portOfNobody = Effect.scoped(httpServer(() => undefined));

describe("with the simulator, a start", () => {
  const { value, currency } = request("key-1").amount;
  for (const [token, outcome] of [
    ["tok_visa", { _tag: "Approved", status: "succeeded", amount: { value, currency } }],
    ["tok_declined", { _tag: "Declined", declineCode: "generic_decline", tryAnotherGateway: false }],
    ["tok_insufficient_funds", { _tag: "Declined", declineCode: "insufficient_funds", tryAnotherGateway: false }],
    ["tok_try_again", { _tag: "Declined", declineCode: "try_again_later", tryAnotherGateway: true }],
    ["tok_3ds", { _tag: "ActionRequired", nextAction: { type: "redirect" } }],
    ["tok_slow", { _tag: "Approved" }],
    ["tok_nobody_knows", { _tag: "Declined", declineCode: "invalid_token", tryAnotherGateway: false }],
  ] as const) {
    it.live(`with ${token} is ${outcome._tag}, and the look-up says the same`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator({ slowAnswerMillis: 50 });
        const gateway = yield* gatewayAt(simulator.url);
        const started = yield* gateway.start(request("key-1", token));
        expect(started).toMatchObject(outcome);
        expect(yield* gateway.lookUp("key-1")).toEqual(started);
        expect(yield* gateway.lookUp("key-2")).toEqual({ _tag: "NotFound" });
      }),
    );
  }

  it.live("with capture manual is an authorization, also after a part of it was captured", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const gateway = yield* gatewayAt(simulator.url);
      const started = yield* gateway.start({ ...request("key-1"), capture: "manual" });
      expect(started).toMatchObject({ _tag: "Approved", status: "authorized" });
      const [charge] = (yield* simulator.ledger).charges;
      yield* simulator.operate(charge!.id, "capture", "key-2", { amount: 1 });
      expect(yield* gateway.lookUp("key-1")).toEqual(started);
    }),
  );

  it.live("whose answer is lost is Unknown, and the look-up finds the charge", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const gateway = yield* gatewayAt(simulator.url);
      expect(yield* gateway.start(request("key-1", "tok_lost_answer"))).toMatchObject({ _tag: "Unknown" });
      expect(yield* gateway.lookUp("key-1")).toMatchObject({ _tag: "Approved", status: "succeeded" });
    }),
  );

  it.live("that is reset is Unknown, the look-up finds nothing, and the same key then charges once", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const gateway = yield* gatewayAt(simulator.url);
      expect(yield* gateway.start(request("key-1", "tok_reset"))).toMatchObject({ _tag: "Unknown" });
      expect(yield* gateway.lookUp("key-1")).toEqual({ _tag: "NotFound" });
      expect(yield* gateway.start(request("key-1", "tok_reset"))).toMatchObject({ _tag: "Approved" });
      expect((yield* simulator.ledger).charges).toMatchObject([{ captured: 1999, requests: 2 }]);
    }),
  );

  it.live("with a key that was used with other parameters is Unknown, never a decline", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const gateway = yield* gatewayAt(simulator.url);
      yield* gateway.start(request("key-1"));
      const other = yield* gateway.start({ ...request("key-1"), amount: { value: 5, currency: "USD" } });
      expect(other).toEqual({ _tag: "Unknown", reason: "answered 422: the key was used with other parameters" });
    }),
  );
});

describe("an answer", () => {
  const error = { code: "some_code", message: "why" };
  const declined = (declineCode: string) => ({ error: { code: "card_declined", declineCode, charge: "ch_1" } });
  const cases: ReadonlyArray<readonly [title: string, status: number, document: unknown, outcome: object]> = [
    ["500", 500, { error }, { _tag: "Unknown" }],
    ["502 of a proxy", 502, "<html>", { _tag: "Unknown" }],
    ["503", 503, { error }, { _tag: "Unknown" }],
    ["409, in flight", 409, { error }, { _tag: "Unknown" }],
    ["422, key reused", 422, { error }, { _tag: "Unknown" }],
    ["408", 408, { error }, { _tag: "Unknown" }],
    ["a redirect", 302, "", { _tag: "Unknown" }],
    ["201", 201, succeeded, { _tag: "Unknown" }],
    ["429", 429, { error }, { _tag: "NotSent" }],
    ["401", 401, { error }, { _tag: "NotSent" }],
    ["403", 403, "", { _tag: "NotSent" }],
    ["404", 404, "", { _tag: "NotSent" }],
    ["400", 400, { error }, { _tag: "Declined", code: "some_code", message: "why", tryAnotherGateway: false }],
    ["413", 413, { error }, { _tag: "Declined", code: "some_code", tryAnotherGateway: false }],
    ["400 without a reason", 400, "Bad Request", { _tag: "Unknown" }],
    ["402 do_not_honor", 402, declined("do_not_honor"), { _tag: "Declined", tryAnotherGateway: false }],
    ["402 processing_error", 402, declined("processing_error"), { _tag: "Declined", tryAnotherGateway: true }],
    [
      "402 with its charge",
      402,
      declined("expired_card"),
      { gatewayTransactionId: "ch_1", declineCode: "expired_card" },
    ],
    ["402 without a decline code", 402, { error }, { _tag: "Declined", code: "some_code", tryAnotherGateway: false }],
    ["402 without a reason", 402, "{}", { _tag: "Unknown" }],
    ["200 that is not JSON", 200, "ok", { _tag: "Unknown" }],
    ["200 with an empty body", 200, "", { _tag: "Unknown" }],
    ["200 without an id", 200, { ...succeeded, id: undefined }, { _tag: "Unknown" }],
    ["200 with an amount as text", 200, { ...succeeded, amount: "1999" }, { _tag: "Unknown" }],
    ["200 with an unknown status", 200, { ...succeeded, status: "settling" }, { _tag: "Unknown" }],
    ["200 voided", 200, { ...succeeded, status: "voided" }, { _tag: "Unknown" }],
    ["200 about another key", 200, { ...succeeded, idempotencyKey: "key-2" }, { _tag: "Unknown" }],
    ["200 with an action that leads nowhere", 200, { ...succeeded, status: "requires_action" }, { _tag: "Unknown" }],
    ["200 of over a megabyte", 200, { ...succeeded, padding: "x".repeat(1_100_000) }, { _tag: "Unknown" }],
    [
      "200 with another amount",
      200,
      { ...succeeded, amount: 5, currency: "XXX" },
      { amount: { value: 5, currency: "XXX" } },
    ],
  ];
  for (const [title, status, document, outcome] of cases) {
    it.live(`${title} is read as ${JSON.stringify(outcome)}`, () =>
      Effect.gen(function* () {
        const gateway = yield* gatewayAt(yield* answering(status, document));
        expect(yield* gateway.start(request("key-1"))).toMatchObject(outcome);
      }),
    );
  }

  it.live("after early hints is the one that counts", () =>
    Effect.gen(function* () {
      const url = yield* httpServer((_, response) => {
        response.writeEarlyHints({ link: "</style.css>; rel=preload" });
        response.end(JSON.stringify(succeeded));
      });
      expect(yield* (yield* gatewayAt(url)).start(request("key-1"))).toMatchObject({ _tag: "Approved" });
    }),
  );
});

describe("a look-up", () => {
  const cases: ReadonlyArray<readonly [title: string, status: number, document: unknown, tag: string]> = [
    ["an empty list", 200, { charges: [] }, "NotFound"],
    ["its charge", 200, { charges: [succeeded] }, "Approved"],
    ["a decline without a reason", 200, { charges: [{ ...succeeded, status: "declined" }] }, "Unknown"],
    ["another key's charge", 200, { charges: [{ ...succeeded, idempotencyKey: "key-2" }] }, "Unknown"],
    ["two charges", 200, { charges: [succeeded, succeeded] }, "Unknown"],
    ["no list", 200, succeeded, "Unknown"],
    ["404", 404, { charges: [] }, "Unknown"],
    ["429", 429, { charges: [] }, "Unknown"],
    ["500", 500, { charges: [] }, "Unknown"],
  ];
  for (const [title, status, document, tag] of cases) {
    it.live(`that finds ${title} is ${tag}`, () =>
      Effect.gen(function* () {
        const gateway = yield* gatewayAt(yield* answering(status, document));
        expect(yield* gateway.lookUp("key-1")).toMatchObject({ _tag: tag });
      }),
    );
  }

  it.live("that the adapter itself cannot put into words is Unknown, never an exception", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt(yield* answering(200, { charges: [] }));
      expect(yield* gateway.lookUp("\ud800")).toMatchObject({ _tag: "Unknown" });
    }),
  );

  it.live("that cannot connect is Unknown", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt(yield* portOfNobody);
      expect(yield* gateway.lookUp("key-1")).toMatchObject({ _tag: "Unknown" });
    }),
  );

  it.live("asks for the very key, whatever is in it, below the path of the url", () =>
    Effect.gen(function* () {
      const asked: Array<string | undefined> = [];
      const url = yield* httpServer((incoming, response) => {
        asked.push(incoming.url);
        response.end('{"charges":[]}');
      });
      yield* (yield* gatewayAt(`${url}/sandbox/`)).lookUp("a&b=c/d e");
      expect(asked).toEqual(["/sandbox/v1/charges?key=a%26b%3Dc%2Fd%20e"]);
    }),
  );
});

describe("what surely was not sent", () => {
  it.live("a refused connection is NotSent", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt(yield* portOfNobody);
      const outcome = yield* gateway.start(request("key-1"));
      expect(outcome).toMatchObject({ _tag: "NotSent", reason: expect.stringContaining("ECONNREFUSED") });
    }),
  );

  it.live("a name that does not resolve is NotSent", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt("http://gateway.invalid");
      const outcome = yield* gateway.start(request("key-1"));
      expect(outcome).toMatchObject({ _tag: "NotSent", reason: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) });
    }),
  );

  it.live("a key that no header can carry is NotSent", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt(yield* answering(200, succeeded));
      expect(yield* gateway.start(request("key\r\n1"))).toMatchObject({ _tag: "NotSent" });
    }),
  );

  /** A gateway whose machine is up but does not take connections for now. */
  const stoppedGateway = Effect.gen(function* () {
    const path = fileURLToPath(new URL("stoppedListener.ts", import.meta.url));
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [path], { stdio: ["ignore", "pipe", "inherit"] })),
      (listener) => Effect.sync(() => listener.kill("SIGKILL")),
    );
    const lines = createInterface(child.stdout);
    const [port] = yield* Effect.promise(() => once(lines, "line") as Promise<[string]>);
    child.kill("SIGSTOP");
    // Its backlog holds two connections; the kernel lets every further one wait, and tries again each second.
    const fillers = [0, 1].map(() => connect(Number(port), "127.0.0.1").on("error", () => undefined));
    yield* Effect.promise(() => Promise.all(fillers.map((filler) => once(filler, "connect"))));
    const connections = Effect.callback<void>((resume) => {
      let accepted = 0;
      lines.on("line", () => {
        accepted += 1;
        if (accepted === fillers.length + 1) resume(Effect.void);
      });
    });
    return {
      url: `http://127.0.0.1:${port}`,
      /** Goes on; returns once it has accepted one connection besides the fillers. */
      goOn: Effect.andThen(
        Effect.sync(() => child.kill("SIGCONT")),
        connections,
      ),
      requests: Effect.promise(() => fetch(`http://127.0.0.1:${port}/count`).then((response) => response.text())),
    };
  });

  it.live("a connection that is not made in time is NotSent", () =>
    Effect.gen(function* () {
      const { url } = yield* stoppedGateway;
      const gateway = yield* gatewayAt(url, { timeoutMillis: 200 });
      const outcome = yield* gateway.start(request("key-1"));
      expect(outcome).toMatchObject({ _tag: "NotSent", reason: expect.stringContaining("not connected") });
    }),
  );

  it.live("a request that is given up while it connects is not sent when the connection is made after all", () =>
    Effect.gen(function* () {
      const stopped = yield* stoppedGateway;
      const gateway = yield* gatewayAt(stopped.url);
      const start = yield* Effect.forkScoped(gateway.start(request("key-1")), { startImmediately: true });
      // Nobody can see a connection that is not made: the request has been handed on to the socket by then.
      yield* Effect.sleep(50);
      yield* Fiber.interrupt(start);
      yield* stopped.goOn;
      expect(yield* stopped.requests).toBe("0");
    }),
  );
});

describe("what may have been sent", () => {
  const afterRequest = (act: (socket: Socket) => void) =>
    socketServer((socket) => socket.once("data", () => act(socket)));
  const cases: ReadonlyArray<readonly [title: string, act: (socket: Socket) => void]> = [
    ["is reset", (socket) => socket.resetAndDestroy()],
    ["is closed without an answer", (socket) => socket.end()],
    ["breaks off in the headers", (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Le")],
    ["breaks off in the body", (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id":"ch_1"')],
    [
      "is reset in the body",
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id":"ch_1"', () => socket.resetAndDestroy());
      },
    ],
    [
      "breaks off in a chunked body",
      (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"'),
    ],
    ["is answered with something else than HTTP", (socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n")],
  ];
  for (const [title, act] of cases) {
    it.live(`a connection that ${title} is Unknown`, () =>
      Effect.gen(function* () {
        const gateway = yield* gatewayAt(yield* afterRequest(act));
        expect(yield* gateway.start(request("key-1"))).toMatchObject({ _tag: "Unknown" });
        expect(yield* gateway.lookUp("key-1")).toMatchObject({ _tag: "Unknown" });
      }),
    );
  }

  for (const [title, begin] of [
    ["never comes", ""],
    ["stops in the headers", "HTTP/1.1 200 OK\r\n"],
    ["stops in the body", 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id":'],
  ] as const) {
    it.live(`an answer that ${title} is Unknown after the time-out, and its connection is closed`, () =>
      Effect.gen(function* () {
        const closed = yield* Deferred.make<void>();
        const url = yield* afterRequest((socket) => {
          socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void));
          socket.write(begin);
        });
        const gateway = yield* gatewayAt(url, { timeoutMillis: 150 });
        const outcome = yield* gateway.start(request("key-1"));
        expect(outcome).toEqual({ _tag: "Unknown", reason: "no answer within 150 ms" });
        yield* Deferred.await(closed);
      }),
    );
  }

  it.live("a kept-alive connection that is reset on reuse is Unknown, and nothing is sent again", () =>
    Effect.gen(function* () {
      let connections = 0;
      let requests = 0;
      const url = yield* socketServer((socket) => {
        connections += 1;
        socket.on("data", () => {
          requests += 1;
          const body = JSON.stringify(succeeded);
          if (requests === 1) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
          else socket.resetAndDestroy();
        });
      });
      const gateway = yield* gatewayAt(url, { maxConnections: 1 });
      expect(yield* gateway.start(request("key-1"))).toMatchObject({ _tag: "Approved" });
      expect(yield* gateway.start(request("key-2"))).toMatchObject({ _tag: "Unknown" });
      expect({ connections, requests }).toEqual({ connections: 1, requests: 2 });
    }),
  );

  it.live("a kept-alive connection that the gateway has closed meanwhile is replaced", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>();
      const url = yield* httpServer((incoming, response) => {
        response.end(JSON.stringify({ ...succeeded, idempotencyKey: incoming.headers["idempotency-key"] }));
        response.on("finish", () => incoming.socket.end());
        incoming.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void));
      });
      const gateway = yield* gatewayAt(url);
      expect(yield* gateway.start(request("key-1"))).toMatchObject({ _tag: "Approved" });
      yield* Deferred.await(closed);
      expect(yield* gateway.start(request("key-2"))).toMatchObject({ _tag: "Approved" });
    }),
  );
});

describe("connections", () => {
  /** Answers nothing until told to. */
  const holding = Effect.gen(function* () {
    const held: Array<() => void> = [];
    let arrived = 0;
    let wake: () => void = () => undefined;
    const url = yield* httpServer((incoming, response) => {
      arrived += 1;
      const idempotencyKey = incoming.headers["idempotency-key"];
      held.push(() => response.end(JSON.stringify({ ...succeeded, idempotencyKey })));
      wake();
    });
    const arrivals = (count: number) =>
      Effect.callback<void>((resume) => {
        wake = () => (arrived >= count ? resume(Effect.void) : undefined);
        wake();
      });
    return { url, arrivals, count: () => arrived, answerOne: Effect.sync(() => held.shift()?.()) };
  });

  it.live("are bounded: further requests wait and are sent when one is free", () =>
    Effect.gen(function* () {
      const server = yield* holding;
      const gateway = yield* gatewayAt(server.url, { maxConnections: 2 });
      const starts = yield* Effect.forEach([1, 2, 3, 4], (n) => Effect.forkScoped(gateway.start(request(`key-${n}`))));
      yield* server.arrivals(2);
      yield* server.answerOne;
      yield* server.arrivals(3);
      expect(server.count()).toBe(3);
      yield* server.answerOne;
      yield* server.arrivals(4);
      yield* server.answerOne;
      yield* server.answerOne;
      const outcomes = yield* Effect.forEach(starts, Fiber.join);
      expect(outcomes.map((outcome) => outcome._tag)).toEqual(["Approved", "Approved", "Approved", "Approved"]);
    }),
  );

  // The next two live on the test's clock, the server on the real network.
  it.effect("that stay taken make a waiting request NotSent, and it is never sent", () =>
    Effect.gen(function* () {
      const server = yield* holding;
      const gateway = yield* gatewayAt(server.url, { maxConnections: 1, timeoutMillis: 1000 });
      const start = (key: string) => Effect.forkScoped(gateway.start(request(key)), { startImmediately: true });
      const first = yield* start("key-1");
      yield* server.arrivals(1);
      yield* TestClock.adjust(500);
      const second = yield* start("key-2");
      const third = yield* start("key-3");
      yield* TestClock.adjust(500);
      expect(yield* Fiber.join(first)).toMatchObject({ _tag: "Unknown" });
      yield* server.arrivals(2);
      yield* TestClock.adjust(500);
      expect(yield* Fiber.join(third)).toEqual({ _tag: "NotSent", reason: "no free connection within 1000 ms" });
      yield* server.answerOne;
      yield* server.answerOne;
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "Approved" });
      expect(server.count()).toBe(2);
    }),
  );

  it.effect("do not count the wait for them as part of the time-out", () =>
    Effect.gen(function* () {
      const server = yield* holding;
      const gateway = yield* gatewayAt(server.url, { maxConnections: 1, timeoutMillis: 1000 });
      const start = (key: string) => Effect.forkScoped(gateway.start(request(key)), { startImmediately: true });
      const first = yield* start("key-1");
      const second = yield* start("key-2");
      yield* server.arrivals(1);
      yield* TestClock.adjust(900);
      yield* server.answerOne;
      yield* Fiber.join(first);
      yield* server.arrivals(2);
      yield* TestClock.adjust(900);
      yield* server.answerOne;
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "Approved" });
    }),
  );

  it.live("are closed when the caller is interrupted, and free for the next", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>();
      const arrived = yield* Deferred.make<void>();
      let requests = 0;
      const url = yield* httpServer((incoming, response) => {
        requests += 1;
        if (requests > 1) response.end(JSON.stringify(succeeded));
        incoming.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void));
        Deferred.doneUnsafe(arrived, Effect.void);
      });
      const gateway = yield* gatewayAt(url, { maxConnections: 1 });
      const start = yield* Effect.forkScoped(gateway.start(request("key-1")));
      yield* Deferred.await(arrived);
      yield* Fiber.interrupt(start);
      yield* Deferred.await(closed);
      expect(yield* gateway.start(request("key-1"))).toMatchObject({ _tag: "Approved" });
    }),
  );
});
