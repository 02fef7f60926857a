/** Which payment a key belongs to, in the bucket `payments_keys`. */
import { isGatewayKey, parsePaymentKey, paymentKey } from "@aegispay/core/identity/Identity";
import { Kvm } from "@nats-io/kv";
import { Effect, Layer } from "effect";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { GatewayKeys, GatewayKeysUnavailable } from "./GatewayKeys.ts";

export const layerNatsGatewayKeys = Layer.effect(
  GatewayKeys,
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    const { addresses } = yield* Deployment;
    const kvm = new Kvm(connection);
    // Opened when it is first needed: most deployments never do.
    let opened: ReturnType<Kvm["open"]> | undefined;
    const bucket = () => {
      opened ??= kvm.open(addresses.buckets.gatewayKeys);
      opened.catch(() => (opened = undefined));
      return opened;
    };
    const attempt = <A>(run: () => Promise<A>) =>
      Effect.tryPromise({ try: run, catch: (cause) => new GatewayKeysUnavailable({ cause }) });
    return {
      remember: (key, payment) => attempt(async () => void (await (await bucket()).put(key, paymentKey(payment)))),
      find: (key) =>
        attempt(async () => {
          if (!isGatewayKey(key)) return undefined;
          // The bucket takes no direct reads: it is the leader that answers.
          const entry = await (await bucket()).get(key);
          return entry?.operation === "PUT" ? parsePaymentKey(entry.string()) : undefined;
        }),
    };
  }),
);
