/** A peer: another durable runtime that pays the same payment with its own primitives, on the same machine. */
import { Data, type Effect, type Scope } from "effect";
import type { GatewayKind } from "../settings.ts";

/** Why there is no figure of a peer. Never a reason for the benchmark to fail. */
export class PeerUnavailable extends Data.TaggedError("PeerUnavailable")<{ readonly message: string }> {}

/** The gateway a peer charges with. */
export type PeerGateway =
  | { readonly gateway: Extract<GatewayKind, "instant"> }
  | { readonly gateway: Extract<GatewayKind, "simulator">; readonly simulator: string };

/** Where a peer takes payments: by POST, answered when the payment is settled. */
export interface PeerEndpoint {
  readonly origin: string;
  readonly pathOf: (paymentId: string) => string;
  /** Fails when the peer ends before it is told to. */
  readonly failed: Effect.Effect<never, PeerUnavailable>;
}

export interface Peer {
  readonly name: string;
  readonly version: string;
  /** What is on disk before it goes on. */
  readonly durability: string;
  /** Starts it on an empty disk, in a folder of its own; it ends with the scope. */
  readonly start: (gateway: PeerGateway, folder: string) => Effect.Effect<PeerEndpoint, PeerUnavailable, Scope.Scope>;
}
