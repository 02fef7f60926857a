/** The circuits as the bucket has them: for people and scripts, never for a decision. */
import { Kvm } from "@nats-io/kv";
import { Effect } from "effect";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { readCircuit, type Circuit } from "./Breakers.ts";

/** By key, `<gateway>.<account>.money|lookUp`; a circuit that is not there has never failed, and is closed. */
export const readBreakers = Effect.gen(function* () {
  const { connection } = yield* Nats;
  const { addresses } = yield* Deployment;
  return yield* natsRequest("reading the breakers", async () => {
    const bucket = await new Kvm(connection).open(addresses.buckets.breakers);
    const found = new Map<string, Circuit>();
    for await (const key of await bucket.keys()) {
      const entry = await bucket.get(key);
      const circuit = entry?.operation === "PUT" ? readCircuit(entry.string()) : undefined;
      if (circuit !== undefined) found.set(key, circuit);
    }
    return found;
  });
});
