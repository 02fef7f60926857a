/** A cluster with one node group whose simulator signs its webhooks with a secret that the test knows too. */
import { standardHeaders } from "@aegispay/gateways/webhooks/standardWebhooks";
import { Redacted } from "effect";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster, type Cluster, type NodeGroup } from "./cluster.ts";
import { post, sendWebhooksTo } from "./webhooks.ts";

const secret = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw==";

export interface WebhookCluster {
  readonly cluster: Cluster;
  readonly node: NodeGroup;
  readonly gatewaysFile: string;
  /** Of its gateways, as they stand in a node's environment. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly startNode: (nodeId: string) => Promise<NodeGroup>;
  /** The simulator's own webhooks, to a node group. */
  readonly wire: (node: NodeGroup) => Promise<void>;
}

export const startWebhookCluster = async (
  settings: Readonly<Record<string, unknown>> = {},
): Promise<WebhookCluster> => {
  const cluster = await startCluster(settings);
  const file = join(cluster.folder, "gateways.json");
  const simulator = { name: "simulator", type: "simulator", url: cluster.simulator };
  const gateways = [
    { ...simulator, webhookSecret: { env: "TEST_WEBHOOK_SECRET" } },
    { ...simulator, name: "silent" },
  ];
  writeFileSync(file, JSON.stringify({ gateways }));
  const secrets = { TEST_WEBHOOK_SECRET: secret };
  const startNode = (nodeId: string) => cluster.startNodes({ nodeId, env: { AEGISPAY_GATEWAYS: file, ...secrets } });
  return {
    cluster,
    gatewaysFile: file,
    secrets,
    node: await startNode("hooked"),
    startNode,
    wire: (node) => sendWebhooksTo(cluster.simulator, `${node.http}/webhooks/simulator`, secret),
  };
};

let events = 0;

/** An event of the simulator's as it would tell it: rightly signed, about whatever charge the test says. */
export const signedEvent = (
  charge: Readonly<Record<string, unknown>>,
  type = "charge.succeeded",
  signedWith = secret,
) => {
  const id = `evt_test_${++events}`;
  const whole = {
    id: "ch_unheard-of",
    reference: "shop/nobody",
    idempotencyKey: "no key of ours",
    amount: 100,
    currency: "USD",
    ...charge,
  };
  const body = JSON.stringify({ id, type, created: Date.now(), data: { charge: whole } });
  return { rawBody: Buffer.from(body), headers: standardHeaders(Redacted.make(signedWith), id, body, Date.now()) };
};

/** A text that is rightly signed, whatever it is. */
export const signedText = (text: string) => {
  const id = `evt_test_${++events}`;
  return { rawBody: Buffer.from(text), headers: standardHeaders(Redacted.make(secret), id, text, Date.now()) };
};

export const postEvent = (node: NodeGroup, charge: Readonly<Record<string, unknown>>, type?: string): Promise<number> =>
  post(node.http, "simulator", signedEvent(charge, type));
