/** Whoever receives webhooks: it keeps what comes, and answers as the test says. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { Effect } from "effect";

export const webhookReceiver = Effect.gen(function* () {
  const deliveries: Array<WebhookDelivery> = [];
  /** The statuses of the next answers; then 200. */
  const answers: Array<number> = [];
  const server = createServer((incoming, response) => {
    const chunks: Array<Buffer> = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      deliveries.push({ rawBody: Buffer.concat(chunks), headers, nowMillis: Date.now() });
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  const url = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    }),
    () => Effect.sync(() => void server.close().closeAllConnections()),
  );
  return { url, deliveries, answers };
});
