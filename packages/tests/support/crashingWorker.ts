/**
 * The entry of a worker that dies, or throws, where a test says so: the production worker with another layer behind its
 * seam. `AEGISPAY_TEST_CRASH` holds the order.
 */
import { CrashPoints, type CrashPoint } from "@aegispay/runtime/seam/CrashPoints";
import { runWorker } from "@aegispay/runtime/supervisor/runWorker";
import { Layer } from "effect";
import { appendFileSync, unlinkSync, writeFileSync } from "node:fs";

export interface CrashOrder {
  readonly point: CrashPoint;
  /** What the point says besides: the state of the payment, or the action of its round. */
  readonly detail?: string;
  /** A payment's id begins with this. */
  readonly payment: string;
  readonly how: "kill" | "kill when the connection is flushed" | "throw";
  /** Made at the first time, so that there is no second; without it, always. */
  readonly latch?: string;
  /** Only while this file is there, which goes at the crash: each time that it is made there is one. */
  readonly armed?: string;
  /** Gets a line each time. */
  readonly record: string;
}

const order = JSON.parse(process.env["AEGISPAY_TEST_CRASH"]!) as CrashOrder;

/** Long enough for what was written to a local socket before to have left, in milliseconds. */
const flushMillis = 300;

const isFirst = (latch: string): boolean => {
  try {
    writeFileSync(latch, "", { flag: "wx" });
    return true;
  } catch {
    return false;
  }
};

const disarm = (armed: string): boolean => {
  try {
    unlinkSync(armed);
    return true;
  } catch {
    return false;
  }
};

const die = (): void => void process.kill(process.pid, "SIGKILL");

const layerOrdered = Layer.succeed(CrashPoints, {
  reach: (point, payment, detail) => {
    if (point !== order.point || !payment.paymentId.startsWith(order.payment)) return;
    if (order.detail !== undefined && order.detail !== detail) return;
    if (order.latch !== undefined && !isFirst(order.latch)) return;
    if (order.armed !== undefined && !disarm(order.armed)) return;
    appendFileSync(order.record, `${payment.paymentId} ${process.pid}\n`);
    if (order.how === "throw") throw new Error(`ordered to crash at ${point}`);
    if (order.how === "kill") die();
    else setTimeout(die, flushMillis);
  },
});

runWorker({ crashPoints: layerOrdered });
