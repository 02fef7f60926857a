/** The loads of the benchmark: as fast as it goes, or at a pace of its own that waits for nobody. */
import { nuid, type NatsConnection } from "@nats-io/nats-core";
import { fateOf, type Fate } from "./fates.ts";
import { openPayer } from "./NatsPayer.ts";
import type { Load, Measured, Mix, Pace, Saturated } from "./settings.ts";
import { latencyOf } from "./statistics.ts";

/** Closed loop: a payment begins when one of those under way has ended. */
export const saturate = async (
  connection: NatsConnection,
  { payments, inFlight }: Load,
  mix?: Mix,
): Promise<Saturated> => {
  const run = nuid.next();
  const payer = await openPayer(connection);
  let next = 0;
  const times: Array<number> = [];
  const lost: Array<number> = [];
  const payOne = async (n: number, fate: Fate): Promise<void> => {
    const begun = performance.now();
    await payer.pay(`${run}-${n}`, fate);
    const millis = performance.now() - begun;
    times.push(millis);
    if (fate === "answerLost") lost.push(millis);
  };
  const lane = async (): Promise<void> => {
    for (let n = next++; n < payments; n = next++) await payOne(n, fateOf(n, mix));
  };
  const begun = performance.now();
  try {
    await Promise.all(Array.from({ length: Math.min(inFlight, payments) }, lane));
  } finally {
    payer.close();
  }
  const seconds = (performance.now() - begun) / 1_000;
  return { rate: payments / seconds, ...latencyOf(times), answerLost: latencyOf(lost) };
};

/** Between two looks at what is to begin, in milliseconds: below what a payment takes on the quickest machine. */
const tickMillis = 1;

/**
 * Open loop: payments begin at their times, whatever became of those before. Latency counts from the intended start, so a
 * payment that could not begin because the machine was busy has waited (coordinated omission).
 */
export const keepPace = async (connection: NatsConnection, { rate, seconds }: Pace): Promise<Measured> => {
  const run = nuid.next();
  const payer = await openPayer(connection);
  const payments = Math.max(1, Math.round(rate * seconds));
  const times: Array<number> = [];
  const failures: Array<unknown> = [];
  const underWay: Array<Promise<void>> = [];
  const begun = performance.now();
  const intendedStart = (n: number): number => begun + (n * 1_000) / rate;
  const payOne = async (n: number): Promise<void> => {
    try {
      await payer.pay(`${run}-${n}`, "approved");
      times.push(performance.now() - intendedStart(n));
    } catch (cause) {
      // Nobody awaits it yet: the load ends with it all the same.
      failures.push(cause);
    }
  };
  try {
    for (let next = 0; next < payments && failures.length === 0;) {
      while (next < payments && intendedStart(next) <= performance.now()) underWay.push(payOne(next++));
      await new Promise((resolve) => setTimeout(resolve, tickMillis));
    }
    await Promise.all(underWay);
    if (failures.length > 0) throw failures[0];
  } finally {
    payer.close();
  }
  return { rate: payments / ((performance.now() - begun) / 1_000), ...latencyOf(times) };
};
