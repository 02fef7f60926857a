/** The simulator behind a stand-in's network: the same faults strike it as strike the others. */
import { makeSimulatorGateway } from "@aegispay/gateways/simulator/SimulatorGateway";
import type { Gateway } from "@aegispay/gateways/Gateway";
import { Effect, Redacted } from "effect";
import { eventually, runningSimulator } from "../simulatorHarness.ts";
import { webhookReceiver } from "../webhookReceiver.ts";
import { timeoutMillis, verified } from "./standInSubject.ts";
import { standInServer, type StandInAnswer, type StandInErrors, type StandInRequest } from "./StandInServer.ts";
import type { Subject, Traits } from "./Subject.ts";

export const simulatorTraits: Traits = {
  name: "the simulator",
  tokens: {
    approved: "tok_visa",
    insufficientFunds: "tok_insufficient_funds",
    moveOn: "tok_try_again",
    action: "tok_3ds",
  },
  asks: "lookUp",
  posts: ["charge"],
  hasVoid: true,
  hasPartialCapture: true,
  operations: "atOnce",
  forge: (body) => body.replace("1999", "9999"),
  signaturesAge: true,
  currency: "USD",
};

const webhookSecret = "whsec_c2ltdWxhdG9y";

const error = (status: number, code: string): StandInAnswer => ({
  status,
  document: { error: { code, message: code } },
});

const errors: StandInErrors = {
  inFlight: error(409, "key_in_flight"),
  rateLimited: error(429, "rate_limited"),
  unauthorized: error(401, "unauthorized"),
  broken: error(500, "broken"),
};

const forward =
  (url: string) =>
  async ({ method, path, query, headers, body }: StandInRequest): Promise<StandInAnswer> => {
    const key = headers["idempotency-key"];
    const response = await fetch(`${url}${path}?${query.toString()}`, {
      method,
      headers: { "content-type": "application/json", ...(typeof key === "string" ? { "idempotency-key": key } : {}) },
      ...(method === "GET" ? {} : { body }),
    });
    return { status: response.status, document: await response.text() };
  };

export const makeSimulatorSubject = Effect.gen(function* () {
  const simulator = yield* Effect.orDie(runningSimulator());
  let token: string | undefined;
  const server = yield* standInServer((request) => {
    const body = token === undefined ? request.body : request.body.replace("tok_visa", token);
    return forward(simulator.url)({ ...request, body });
  }, errors);
  const receiver = yield* webhookReceiver;
  yield* simulator.answered("PUT", "/admin/webhooks", { url: receiver.url, secret: webhookSecret });
  const adapter = yield* makeSimulatorGateway({
    name: "simulator",
    account: "default",
    url: server.url,
    timeoutMillis,
    webhookSecret: Redacted.make(webhookSecret),
  });
  // What a call has caused is told before it is looked for.
  const told = eventually(simulator.get("/admin/webhooks"), ({ body }) => body.pending === 0);
  const gateway: Gateway = {
    ...adapter,
    start: (request) => Effect.tap(adapter.start(request), told),
    operate: (request) => Effect.tap(adapter.operate(request), told),
  };
  const subject: Subject = {
    gateway,
    fault: server.fault,
    webhooks: () => receiver.deliveries,
    timePasses: Effect.void,
    notify: Effect.sync(() => verified(gateway, receiver.deliveries)),
    bookAnotherAmount: () => {
      token = "tok_other_amount";
    },
    authenticate: Effect.flatMap(simulator.ledger, ({ charges }) =>
      Effect.forEach(
        charges.filter(({ status }) => status === "requires_action"),
        ({ id }) => simulator.authenticate(id, "succeeded"),
        { discard: true },
      ),
    ),
    booked: Effect.map(simulator.ledger, ({ charges }) =>
      charges
        .filter(({ status }) => status === "authorized" || status === "succeeded" || status === "partially_captured")
        .map(({ idempotencyKeys, status, captured, refunded }) => ({
          key: idempotencyKeys[0] ?? "",
          captured,
          refunded,
          isHeld: status === "authorized",
        })),
    ),
  };
  return subject;
});
