/** The load of a peer: each payment one POST, as its callers send it, and a clock on each until its answer is there. */
import { Agent, request } from "node:http";
import { quantile } from "../../metrics/quantile.ts";
import type { Measured } from "../settings.ts";
import type { PeerEndpoint } from "./Peer.ts";

/** When one payment is not answered for this long, in milliseconds, the round ends. */
const patienceMillis = 60_000;

const create = JSON.stringify({
  amount: { value: 1999, currency: "USD" },
  method: { type: "card", token: "tok_visa" },
});

export interface HttpLoad {
  readonly paymentIds: ReadonlyArray<string>;
  /** Payments under way at once. */
  readonly inFlight: number;
}

export const saturateOverHttp = async (
  { origin, pathOf }: Pick<PeerEndpoint, "origin" | "pathOf">,
  { paymentIds, inFlight }: HttpLoad,
): Promise<Measured> => {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const { hostname, port } = new URL(origin);

  const pay = (paymentId: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const begun = performance.now();
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(create) };
      const path = pathOf(paymentId);
      const call = request({ agent, hostname, port, path, method: "POST", headers, timeout: patienceMillis });
      call.once("timeout", () => call.destroy(new Error(`a payment was not answered for ${patienceMillis} ms`)));
      call.once("error", reject);
      call.once("response", (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (text: string) => (answer += text));
        response.once("error", reject);
        response.once("end", () => {
          if (answer.includes('"state":"SUCCESS"')) resolve(performance.now() - begun);
          else reject(new Error(`not as it must be: ${response.statusCode} ${answer}`));
        });
      });
      call.end(create);
    });

  const times: Array<number> = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < paymentIds.length) times.push(await pay(paymentIds[next++]!));
  };
  const begun = performance.now();
  try {
    await Promise.all(Array.from({ length: Math.min(inFlight, paymentIds.length) }, lane));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - begun) / 1_000;
  times.sort((left, right) => left - right);
  return { rate: paymentIds.length / seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
};
