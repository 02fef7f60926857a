import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@effect/vitest";
import { Deferred, Effect, Fiber } from "effect";
import { TestClock } from "effect/testing";

import {
  answering,
  gatewayAt,
  httpServer,
  lookUpOf,
  portOfNobody,
  request,
  socketServer,
  succeeded,
} from "./standIns.ts";

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
        expect(yield* gateway.lookUp(lookUpOf("key-1"))).toMatchObject({ _tag: "Unknown" });
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
