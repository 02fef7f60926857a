/** Recovery reports in the bucket `payments_recoveries`, one entry a shard; and in the log of the process. */
import { Kvm } from "@nats-io/kv";
import { Effect, Layer } from "effect";
import { count, metric, observe } from "../metrics/Metrics.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { leaseKey } from "./NatsLeases.ts";
import { RecoveryReports, type RecoveryReport } from "./Recovery.ts";

const inWords = (report: RecoveryReport): string => {
  const { shard, totalPayments, inFlightPayments, recoveredPayments, failedRecoveries } = report;
  return (
    `shard ${shard}: taken over in ${report.takeOverMillis} ms; ${totalPayments} payments left behind, ${inFlightPayments} in flight, ` +
    `${recoveredPayments} recovered, ${failedRecoveries} failed, in ${report.recoveryMillis} ms` +
    (report.complete ? "" : " (not all of them yet)")
  );
};

export const layerNatsRecoveryReports = Layer.effect(
  RecoveryReports,
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    const { addresses } = yield* Deployment;
    const bucket = yield* natsRequest("opening the recoveries bucket", () =>
      new Kvm(connection).open(addresses.buckets.recoveries),
    );
    return RecoveryReports.of({
      report: (report) => {
        const keep = natsRequest("keeping a recovery report", () =>
          bucket.put(leaseKey(report.shard), JSON.stringify(report)),
        ).pipe(
          Effect.asVoid,
          Effect.catch((error) => Effect.logWarning(`a recovery report was not kept: ${error.message}`)),
        );
        if (report.totalPayments > 0) observe(metric.recoverySeconds, report.recoveryMillis / 1_000);
        count(metric.recoveryInFlightPayments, report.inFlightPayments);
        count(metric.recoveryRecoveredPayments, report.recoveredPayments);
        count(metric.recoveryFailedRecoveries, report.failedRecoveries);
        // A take-over that found nothing is no news.
        return report.totalPayments === 0 ? keep : Effect.andThen(Effect.logInfo(inWords(report)), keep);
      },
    });
  }),
);
