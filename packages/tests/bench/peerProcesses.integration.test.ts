/** What the benchmark starts for a peer ends with it, and a load over HTTP counts what was answered. */
import { saturateOverHttp } from "@aegispay/runtime/bench/peers/HttpLoad";
import { startServer } from "@aegispay/runtime/bench/peers/ServerProcess";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { eventually } from "../support/eventually.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aegispay-peers-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const shell = (script: string) =>
  startServer({
    title: "a server",
    command: "sh",
    args: ["-c", script],
    cwd: folder,
    logFile: join(folder, "server.log"),
  });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** The pid that the server wrote into its log. */
const pidOf = () =>
  eventually("the server's pid", () => {
    const pid = Number(readFileSync(join(folder, "server.log"), "utf8"));
    return pid > 0 && pid;
  });

describe("a peer's server", () => {
  it.live("is gone when the scope has closed", () =>
    Effect.gen(function* () {
      const pid = yield* Effect.scoped(
        Effect.gen(function* () {
          yield* shell("echo $$; exec sleep 600");
          const started = yield* Effect.promise(pidOf);
          expect(isAlive(started)).toBe(true);
          return started;
        }),
      );
      yield* Effect.promise(() => eventually("its end", () => !isAlive(pid)));
    }),
  );

  it.live("that ends by itself fails the round with the last it said", () =>
    Effect.gen(function* () {
      const failed = yield* shell("echo no room left; exit 7");
      const { message } = yield* Effect.flip(failed);
      expect(message).toBe("a server ended with 7: no room left");
    }).pipe(Effect.scoped),
  );
});

describe("a load over HTTP", () => {
  const listening = (listener: RequestListener) =>
    Effect.acquireRelease(
      Effect.callback<{ readonly origin: string; readonly stop: () => void }>((resume) => {
        const server = createServer(listener).listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo;
          resume(Effect.succeed({ origin: `http://127.0.0.1:${port}`, stop: () => void server.close() }));
        });
      }),
      ({ stop }) => Effect.sync(stop),
    );
  const pathOf = (paymentId: string) => `/${paymentId}`;
  const paymentIds = Array.from({ length: 50 }, (_, index) => `p${index}`);

  it.live("sends each payment once, no more at a time than it is told", () =>
    Effect.gen(function* () {
      const seen: Array<string> = [];
      let underWay = 0;
      let most = 0;
      const { origin } = yield* listening((request, response) => {
        seen.push(request.url ?? "");
        most = Math.max(most, ++underWay);
        setTimeout(() => {
          underWay--;
          response.end(`{"state":"SUCCESS"}`);
        }, 2);
      });
      const measured = yield* Effect.promise(() => saturateOverHttp({ origin, pathOf }, { paymentIds, inFlight: 8 }));
      expect(seen.toSorted()).toEqual(paymentIds.map(pathOf).toSorted());
      expect(most).toBeLessThanOrEqual(8);
      expect(measured.rate).toBeGreaterThan(0);
    }).pipe(Effect.scoped),
  );

  it.live("ends when a payment did not succeed", () =>
    Effect.gen(function* () {
      const { origin } = yield* listening((_request, response) => response.writeHead(500).end("broken"));
      const load = Effect.tryPromise(() => saturateOverHttp({ origin, pathOf }, { paymentIds, inFlight: 1 }));
      const { cause } = yield* Effect.flip(load);
      expect(String(cause)).toContain("not as it must be: 500 broken");
    }).pipe(Effect.scoped),
  );
});
