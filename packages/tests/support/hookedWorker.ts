/**
 * The entry of a worker that is embedded with hooks of its own. Each payment that a hook is asked about is written to the file
 * `AEGISPAY_TEST_RECORD`; at the first payment whose id begins with "killed" the process dies between the verdict and
 * the commit.
 */
import { layerHooks } from "@aegispay/runtime/hooks/HooksInForce";
import { CrashPoints } from "@aegispay/runtime/seam/CrashPoints";
import { runWorker } from "@aegispay/runtime/supervisor/runWorker";
import { Layer } from "effect";
import { appendFileSync, writeFileSync } from "node:fs";

const record = process.env["AEGISPAY_TEST_RECORD"]!;

const hooks = layerHooks({
  fraudCheck: ({ paymentId }) => {
    appendFileSync(record, `${paymentId} ${process.pid}\n`);
    return { verdict: "allow", score: 1 };
  },
});

const layerDiesOnce = Layer.succeed(CrashPoints, {
  reach: (point, payment) => {
    if (point !== "beforeFirstAppend" || !payment.paymentId.startsWith("killed")) return;
    try {
      writeFileSync(`${record}.latch`, "", { flag: "wx" });
    } catch {
      return;
    }
    process.kill(process.pid, "SIGKILL");
  },
});

runWorker({ hooks, crashPoints: layerDiesOnce });
