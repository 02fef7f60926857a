/** One round of a peer: its figure counts only if every payment was charged once, and its end is the reason for none. */
import { measurePeer } from "@aegispay/runtime/bench/peers/measurePeer";
import { type Peer, type PeerEndpoint, type PeerGateway, PeerUnavailable } from "@aegispay/runtime/bench/peers/Peer";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

const load = { payments: 30, inFlight: 8, warmUpPayments: 10 };

/** A peer in this process: `pay` is its whole program. */
const peerThat = (
  pay: (gateway: PeerGateway) => RequestListener,
  failed: PeerEndpoint["failed"] = Effect.never,
): Peer => ({
  name: "a peer",
  version: "1",
  durability: "none",
  start: (gateway) =>
    Effect.acquireRelease(
      Effect.callback<PeerEndpoint & { readonly stop: () => void }>((resume) => {
        const server = createServer(pay(gateway)).listen(0, "127.0.0.1", () => {
          const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
          const pathOf = (paymentId: string) => `/${paymentId}`;
          resume(Effect.succeed({ origin, pathOf, failed, stop: () => void server.close() }));
        });
      }),
      ({ stop }) => Effect.sync(stop),
    ),
});

const succeed: RequestListener = (_request, response) => {
  response.end(`{"state":"SUCCESS"}`);
};

/** Charges under the key that `keyOf` makes of the payment's id. */
const charging =
  (keyOf: (paymentId: string) => string) =>
  (gateway: PeerGateway): RequestListener =>
  async (request, response) => {
    if (gateway.gateway !== "simulator") throw new Error("this one is for the simulator");
    const paymentId = (request.url ?? "").slice(1);
    await fetch(`${gateway.simulator}/v1/charges`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": keyOf(paymentId) },
      body: JSON.stringify({
        reference: `bench/${paymentId}`,
        amount: 1999,
        currency: "USD",
        token: "tok_visa",
        capture: "automatic",
      }),
    });
    response.end(`{"state":"SUCCESS"}`);
  };

describe("a round of a peer", () => {
  it.live("counts when every payment was charged once, those that were created again too", () =>
    Effect.gen(function* () {
      const measured = yield* measurePeer(peerThat(charging((paymentId) => paymentId)), "simulator", load);
      expect(measured.rate).toBeGreaterThan(0);
      expect(measured.p50).toBeLessThanOrEqual(measured.p99);
    }),
  );

  it.live("does not count when a create that came again was charged again", () =>
    Effect.gen(function* () {
      let calls = 0;
      const peer = peerThat(charging((paymentId) => `${paymentId}-${calls++}`));
      const { message } = yield* Effect.flip(measurePeer(peer, "simulator", load));
      expect(message).toMatch(/^its round does not count: 20 payments were charged more than once \(bench\//);
    }),
  );

  it.live("does not count when a payment was answered that nobody charged", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(
        measurePeer(
          peerThat(() => succeed),
          "simulator",
          load,
        ),
      );
      expect(message).toMatch(/^its round does not count: 40 payments were not charged/);
    }),
  );

  it.live("has the end of the peer's process as its reason, not the connection that broke of it", () =>
    Effect.gen(function* () {
      const ended = Effect.delay(Effect.fail(new PeerUnavailable({ message: "its program ended with 1" })), 100);
      const peer = peerThat(() => (request) => void request.socket.destroy(), ended);
      const { message } = yield* Effect.flip(measurePeer(peer, "instant", load));
      expect(message).toBe("its program ended with 1");
    }),
  );

  it.live("says what the answer was when it was no success", () =>
    Effect.gen(function* () {
      const peer = peerThat(() => (_request, response) => void response.writeHead(500).end("no room left"));
      const { message } = yield* Effect.flip(measurePeer(peer, "instant", load));
      expect(message).toContain("it came to no figure: Error: not as it must be: 500 no room left");
    }),
  );
});
