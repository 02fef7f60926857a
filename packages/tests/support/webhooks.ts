/** Webhooks as a gateway, or somebody who only says so, sends them to a primary; and the simulator's orders about its own. */
import type { WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { sumOf, readMetrics } from "./health.ts";

/** Posts it as it is; answers the status. */
export const post = async (
  http: string,
  gateway: string,
  { rawBody, headers }: Pick<WebhookDelivery, "rawBody" | "headers">,
): Promise<number> => {
  const given = Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const response = await fetch(`${http}/webhooks/${gateway}`, {
    method: "POST",
    headers: given,
    body: Buffer.from(rawBody),
  });
  await response.text();
  return response.status;
};

/** How many webhooks of a gateway had this result, over primary and workers. */
export const webhooksCounted = async (http: string, gateway: string, result: string): Promise<number> =>
  sumOf(await readMetrics(http), "aegispay_webhooks_total", { gateway, result });

const order = async (url: string, document: unknown): Promise<void> => {
  const response = await fetch(url, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(document),
  });
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
};

export const orderWebhookFaults = (simulator: string, faults: Readonly<Record<string, unknown>>) =>
  order(`${simulator}/admin/webhooks/faults`, faults);

export const sendWebhooksTo = (simulator: string, url: string, secret: string) =>
  order(`${simulator}/admin/webhooks`, { url, secret });

/** Events that the simulator has still to deliver. */
export const pendingWebhooks = async (simulator: string): Promise<number> =>
  ((await (await fetch(`${simulator}/admin/webhooks`)).json()) as { readonly pending: number }).pending;
