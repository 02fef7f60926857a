/** A simulator on a free port with a directory of its own, and a plain HTTP client that knows nothing of our adapter. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulator } from "@aegispay/gateways/simulator/SimulatorServer";
import { Effect, Schedule, type Scope } from "effect";
import type { LedgerCharge } from "../support/ledger.ts";

export const scratchDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "aegis-simulator-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true })),
);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- the tests look into documents of many shapes
  readonly body: any;
}

/** The connection ended without an answer. */
export const droppedConnection = "dropped";
export type Dropped = typeof droppedConnection;

export const plainClient = (url: string) => {
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    Effect.promise(async (signal): Promise<Answer | Dropped> => {
      try {
        const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
        const response = await fetch(`${url}${path}`, {
          method,
          headers,
          signal,
          ...(text === undefined ? {} : { body: text }),
        });
        return { status: response.status, headers: response.headers, body: await response.json() };
      } catch (error) {
        if (signal.aborted) throw error;
        return droppedConnection;
      }
    });
  const answered = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    Effect.map(send(method, path, body, headers), (answer) => {
      if (answer === droppedConnection) throw new Error(`${method} ${path}: the connection was dropped`);
      return answer;
    });
  const order = (options: ChargeOptions) => ({
    reference: options.reference ?? "shop/order-1",
    amount: options.amount ?? 1999,
    currency: options.currency ?? "USD",
    token: options.token ?? "tok_visa",
    ...(options.capture === undefined ? {} : { capture: options.capture }),
  });
  return {
    url,
    send,
    answered,
    get: (path: string) => answered("GET", path),
    /** A charge that is answered. */
    charge: (key: string, options: ChargeOptions = {}) =>
      answered("POST", "/v1/charges", order(options), { "idempotency-key": key }),
    /** A charge whose connection may drop. */
    tryCharge: (key: string, options: ChargeOptions = {}) =>
      send("POST", "/v1/charges", order(options), { "idempotency-key": key }),
    operate: (id: string, kind: string, key: string, body?: unknown) =>
      answered("POST", `/v1/charges/${id}/${kind}`, body, { "idempotency-key": key }),
    /** An operation whose connection may drop. */
    tryOperate: (id: string, kind: string, key: string, body?: unknown) =>
      send("POST", `/v1/charges/${id}/${kind}`, body, { "idempotency-key": key }),
    /** What the customer does on the page to which they were sent. */
    authenticate: (id: string, result: string) => answered("POST", `/3ds/${id}`, { result }),
    faults: (faults: Record<string, unknown>) => answered("PUT", "/admin/faults", faults),
    ledger: Effect.map(answered("GET", "/admin/ledger"), ({ body }) => body as LedgerReport),
    operationsByKey: (key: string) =>
      Effect.map(answered("GET", `/v1/operations?key=${key}`), ({ body }) => body.operations),
    chargesByKey: (key: string) =>
      Effect.map(
        answered("GET", `/v1/charges?key=${key}`),
        ({ body }) => body.charges as ReadonlyArray<{ id: string }>,
      ),
  };
};
export type PlainClient = ReturnType<typeof plainClient>;

interface ChargeOptions {
  readonly reference?: string;
  readonly amount?: number;
  readonly currency?: string;
  readonly token?: string;
  readonly capture?: "automatic" | "manual";
}

interface LedgerReport {
  readonly charges: ReadonlyArray<LedgerCharge>;
  readonly delayed: ReadonlyArray<string>;
  readonly requests: number;
}

export const runningSimulator = (options: { readonly dataDir?: string; readonly slowAnswerMillis?: number } = {}) =>
  Effect.gen(function* () {
    const dataDir = options.dataDir ?? (yield* scratchDirectory);
    const { url } = yield* startSimulator({ port: 0, ...options, dataDir });
    return plainClient(url);
  });

/** Looks again until what is awaited is there; the test's own time-out bounds it. */
export const eventually = <A>(look: Effect.Effect<A>, isThere: (value: A) => boolean): Effect.Effect<A> =>
  Effect.repeat(look, { schedule: Schedule.spaced(5), until: isThere });
