/** What surrounds the gateways in a simulation: nothing, or whatever the seed holds back. */
import {
  GatewayProtection,
  HeldBack,
  type Called,
  type CallSite,
} from "@aegispay/runtime/resilience/GatewayProtection";
import { Effect, Layer } from "effect";

export interface Protecting {
  /** For how long the next call is held back, in milliseconds; undefined: it goes through. */
  readonly heldBackMillis: () => number | undefined;
  readonly isCrowded: () => boolean;
}

export const unprotected: Protecting = { heldBackMillis: () => undefined, isCrowded: () => false };

export const layerProtection = ({ heldBackMillis, isCrowded }: Protecting) =>
  Layer.succeed(GatewayProtection, {
    around: <A>(_site: CallSite, waitFirstMillis: number, call: Effect.Effect<Called<A>>) =>
      Effect.andThen(
        Effect.sleep(waitFirstMillis),
        Effect.suspend((): Effect.Effect<A | HeldBack> => {
          const millis = heldBackMillis();
          return millis === undefined
            ? Effect.map(call, ({ value }) => value)
            : Effect.succeed(new HeldBack("breaker", "the seed holds it back", millis));
        }),
      ),
    isCrowded,
  });
