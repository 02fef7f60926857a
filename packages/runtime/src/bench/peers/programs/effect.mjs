/**
 * Effect's own workflow engine: a workflow whose idempotency key is the payment's id, the charge as an activity, on the
 * cluster's SQL message storage with a single runner. PostgreSQL stores the request to run, the activity's request and
 * reply, and the workflow's reply before the caller is answered.
 */
import { PgClient } from "@effect/sql-pg";
import { Effect, Layer, ManagedRuntime, Redacted, Schema } from "effect";
import { ClusterWorkflowEngine, SingleRunner } from "effect/cluster";
import { Digest } from "effect/crypto";
import { Activity, Workflow } from "effect/workflow";
import { charge, options, serve, settled } from "./payment.mjs";

const Amount = Schema.Struct({ value: Schema.Int, currency: Schema.String });

const Pay = Workflow.make("Pay", {
  payload: {
    paymentId: Schema.String,
    amount: Amount,
    method: Schema.Struct({ type: Schema.String, token: Schema.String }),
  },
  success: Schema.Struct({
    paymentId: Schema.String,
    state: Schema.Literal("SUCCESS"),
    amount: Amount,
    gatewayTransactionId: Schema.String,
  }),
  idempotencyKey: ({ paymentId }) => paymentId,
});

const layerPay = Pay.toLayer((create) =>
  Activity.make({
    name: "charge",
    success: Schema.String,
    execute: Effect.promise(() => charge(create)),
  }).pipe(Effect.map((gatewayTransactionId) => settled(create, gatewayTransactionId))),
);

const layerSql = PgClient.layer({ url: Redacted.make(options.postgres), maxConnections: options.connections });

const runtime = ManagedRuntime.make(
  layerPay.pipe(
    Layer.provideMerge(ClusterWorkflowEngine.layer),
    Layer.provide(SingleRunner.layer()),
    Layer.provide([layerSql, Digest.layerWebCrypto]),
  ),
);
await runtime.context();

serve((create) => runtime.runPromise(Pay.execute(create)));
