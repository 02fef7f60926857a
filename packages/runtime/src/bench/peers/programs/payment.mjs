/**
 * What the peers' programs share: the gateway that charges a payment, and the service in front of a peer that has none
 * of its own. A program ends with whoever started it.
 */
import { createServer } from "node:http";
import { Pool } from "undici";

/** `{ gateway: "instant" | "simulator", simulator?: url, postgres?: url }`; see PeerProgram.ts. */
export const options = JSON.parse(process.env.AEGISPAY_BENCH_PEER);

/** As many connections as the runtime's own adapter opens to this gateway. */
const connections = 128;
const gateway = options.gateway === "simulator" ? new Pool(options.simulator, { connections }) : undefined;

/** Charges a payment; a second call is the same request under the same key, so the gateway charges once. */
export const charge = async ({ paymentId, amount, method }) => {
  const key = `${paymentId}-1`;
  if (gateway === undefined) return `ch_${key}`;
  const { statusCode, body } = await gateway.request({
    method: "POST",
    path: "/v1/charges",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({
      reference: `bench/${paymentId}`,
      amount: amount.value,
      currency: amount.currency,
      token: method.token,
      capture: "automatic",
    }),
  });
  const answer = await body.json();
  if (statusCode !== 200) throw new Error(`the gateway answered ${statusCode}: ${JSON.stringify(answer)}`);
  return answer.id;
};

export const settled = ({ paymentId, amount }, gatewayTransactionId) => ({
  paymentId,
  state: "SUCCESS",
  amount,
  gatewayTransactionId,
});

const read = async (request) => {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return JSON.parse(text);
};

/** `POST /<payment id>` with the body of a create: answered when `pay` has answered. */
export const serve = (pay) => {
  const server = createServer(async (request, response) => {
    try {
      const create = await read(request);
      const payment = await pay({ ...create, paymentId: request.url.slice(1) });
      response.setHeader("content-type", "application/json").end(JSON.stringify(payment));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  server.listen(0, "127.0.0.1", () => ready(server.address().port));
};

export const ready = (port) => process.send({ port });

process.once("disconnect", () => process.exit(0));
