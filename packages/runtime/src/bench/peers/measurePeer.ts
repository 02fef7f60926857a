/** One round of one peer, on an empty disk: warm-up, load, and whether every payment was charged once. */
import { startSimulator } from "@aegispay/gateways/simulator/SimulatorServer";
import { Effect } from "effect";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GatewayKind, Load } from "../settings.ts";
import { checkLedger } from "./chargedOnce.ts";
import { saturateOverHttp } from "./HttpLoad.ts";
import { type Peer, type PeerGateway, PeerUnavailable } from "./Peer.ts";

export interface PeerLoad extends Load {
  readonly warmUpPayments: number;
}

/** Creates that are sent a second time after the load: the id is the idempotency key, with every peer. */
const repeatedPayments = 20;

/** A broken connection is often the first sign of a process that has ended, and that says more. */
const reasonMillis = 500;

const scratchFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "aegispay-bench-peer-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })),
);

const startGateway = Effect.fnUntraced(function* (gateway: GatewayKind, folder: string) {
  if (gateway === "instant") return { gateway } satisfies PeerGateway;
  const { url } = yield* startSimulator({ port: 0, dataDir: join(folder, "simulator") }).pipe(
    Effect.mapError(({ message }) => new PeerUnavailable({ message: `the gateway does not start: ${message}` })),
  );
  return { gateway, simulator: url } satisfies PeerGateway;
});

export const measurePeer = Effect.fnUntraced(function* (peer: Peer, gatewayKind: GatewayKind, load: PeerLoad) {
  const folder = yield* scratchFolder;
  const gateway = yield* startGateway(gatewayKind, folder);
  const endpoint = yield* peer.start(gateway, folder);
  const run = (paymentIds: ReadonlyArray<string>) =>
    Effect.tryPromise({
      try: () => saturateOverHttp(endpoint, { paymentIds, inFlight: load.inFlight }),
      catch: (cause) => new PeerUnavailable({ message: `it came to no figure: ${String(cause)}` }),
    });
  const newIds = (count: number) => Array.from({ length: count }, () => randomUUID());
  const [warmUp, paid] = [newIds(load.warmUpPayments), newIds(load.payments)];
  const all = Effect.gen(function* () {
    yield* run(warmUp);
    const measured = yield* run(paid);
    yield* run(paid.slice(0, repeatedPayments));
    return measured;
  });
  const orWhy = Effect.catch(all, (error) =>
    Effect.raceFirst(endpoint.failed, Effect.delay(Effect.fail(error), reasonMillis)),
  );
  const measured = yield* Effect.raceFirst(orWhy, endpoint.failed);
  if (gateway.gateway === "simulator") yield* checkLedger(gateway.simulator, [...warmUp, ...paid]);
  return measured;
}, Effect.scoped);
