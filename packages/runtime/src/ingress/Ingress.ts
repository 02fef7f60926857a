/** From a delivery to its actor, or to a refusal: the one place where what clients sent is looked at. */
import { Context, Effect, Layer } from "effect";
import { PaymentActors } from "../actor/PaymentActors.ts";
import { GatewayCalls } from "../effects/GatewayCalls.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import type { Delivery } from "./CommandQueue.ts";
import { decodeCommand } from "./decodeCommand.ts";
import { Refusals } from "./Refusals.ts";

export class Ingress extends Context.Service<Ingress, { readonly take: (delivery: Delivery) => void }>()(
  "@aegispay/runtime/Ingress",
) {}

export const layerIngress = Layer.effect(
  Ingress,
  Effect.gen(function* () {
    const actors = yield* PaymentActors;
    const refusals = yield* Refusals;
    const calls = yield* GatewayCalls;
    const { commandStreamCreated } = yield* Deployment;
    const fork = Effect.runForkWith(yield* Effect.context());
    return Ingress.of({
      take: (delivery) => {
        const decoded = decodeCommand(delivery, `${commandStreamCreated}/${delivery.sequence}`, calls.given());
        if (decoded._tag === "Decoded") actors.tell(delivery, decoded.command);
        else fork(refusals.refuse(delivery, decoded));
      },
    });
  }),
);
