/** What anybody may send to an address that the whole world can reach. */
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { lifecycleAt, type Lifecycle } from "../support/lifecycle.ts";
import {
  postEvent,
  signedEvent,
  signedText,
  startWebhookCluster,
  type WebhookCluster,
} from "../support/webhookCluster.ts";
import { post, webhooksCounted } from "../support/webhooks.ts";

let world: WebhookCluster;
let life: Lifecycle;
beforeAll(async () => {
  world = await startWebhookCluster();
  life = lifecycleAt(world.cluster);
}, 90_000);
afterAll(() => world?.cluster.stop());

const megabyte = 1024 * 1024;
const counted = (result: string) => webhooksCounted(world.node.http, "simulator", result);
const kept = async () => (await world.cluster.manager.streams.info("PAYMENTS_WEBHOOKS")).state.messages;
const residentBytes = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${world.node.primaryPid}/status`, "utf8"))?.[1]) * 1024;

/** Sends exactly these bytes, the parts one after the other; answers all that is heard until the other side closes. */
const raw = (parts: ReadonlyArray<string | Buffer>, pauseMillis = 0): Promise<string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(world.node.http);
    const socket = connectTcp({ host: hostname, port: Number(port) });
    let heard = "";
    socket.on("data", (chunk) => void (heard += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(heard));
    void (async () => {
      for (const part of parts) {
        if (socket.destroyed) return;
        await new Promise<void>((sent) => socket.write(part, () => sent()));
        if (pauseMillis > 0) await new Promise((later) => setTimeout(later, pauseMillis));
      }
    })();
  });

const head = (path: string, ...headers: ReadonlyArray<string>) =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${headers.map((line) => `${line}\r\n`).join("")}\r\n`;

describe("a body of 10 MB", () => {
  it("is refused and counted, whether it says so or not, and takes no memory", async () => {
    const tenMegabytes = Buffer.alloc(10 * megabyte, 0x20);
    const { headers } = signedEvent({});
    expect(await post(world.node.http, "simulator", { rawBody: tenMegabytes, headers })).toBe(413);
    const chunk = `${megabyte.toString(16)}\r\n`;
    const chunked = Array.from({ length: 10 }, () => [chunk, Buffer.alloc(megabyte, 0x20), "\r\n"]).flat();
    const send = async (times: number) => {
      for (let round = 0; round < times; round++) {
        const heard = await raw([head("/webhooks/simulator", "Transfer-Encoding: chunked"), ...chunked, "0\r\n\r\n"]);
        expect(heard).toMatch(/^HTTP\/1\.1 413 /);
      }
    };
    // The first ones make room for what any request needs. What comes then is 300 MB, of which nothing stays.
    await send(10);
    const before = residentBytes();
    await send(30);
    expect(await counted("too_large")).toBe(41);
    expect(residentBytes() - before).toBeLessThan(100 * megabyte);
    expect(await kept()).toBe(0);
  });
});

describe("a body that trickles", () => {
  it("is cut off after some seconds, and keeps nobody else waiting", async () => {
    const drops = Array.from({ length: 40 }, () => "x");
    const slow = raw([head("/webhooks/simulator", "Content-Length: 1000"), ...drops], 500);
    const began = Date.now();
    expect(await postEvent(world.node, { reference: "" })).toBe(200);
    expect(Date.now() - began).toBeLessThan(2_000);
    expect(await slow).toMatch(/^HTTP\/1\.1 408 /);
    expect(Date.now() - began).toBeLessThan(12_000);
    expect(await counted("too_slow")).toBe(1);
  });

  it("of headers is cut off as well", async () => {
    const began = Date.now();
    const lines = Array.from({ length: 60 }, (_, index) => `X-Slow-${index}: x\r\n`);
    await raw(["POST /webhooks/simulator HTTP/1.1\r\nHost: h\r\n", ...lines], 500);
    expect(Date.now() - began).toBeLessThan(15_000);
  });
});

describe("a path", () => {
  it.each([
    ["an unknown name", "/webhooks/nobody"],
    ["a gateway without webhooks", "/webhooks/silent"],
    ["encoded dots", "/webhooks/%2e%2e"],
    ["dots", "/webhooks/.."],
    ["another place behind dots", "/webhooks/../metrics"],
    ["a NUL byte", "/webhooks/simulator%00"],
    ["an encoded slash", "/webhooks/simulator%2f.."],
    ["a wildcard of NATS", "/webhooks/*"],
    ["another wildcard of NATS", "/webhooks/%3e"],
    ["a property of every object", "/webhooks/__proto__"],
    ["another property of every object", "/webhooks/constructor"],
    ["no UTF-8", "/webhooks/%ff%fe"],
    ["an empty name", "/webhooks/"],
    ["no name", "/webhooks"],
    ["8,000 characters", `/webhooks/${"a".repeat(8_000)}`],
  ] as const)("with %s instead of a gateway's name is not found", async (_, path) => {
    const heard = await raw([head(path, "Content-Length: 2"), "{}"]);
    expect(heard).toMatch(/^HTTP\/1\.1 (?:404|400) /);
  });

  it("is answered 405 to whoever does not post", async () => {
    const response = await fetch(`${world.node.http}/webhooks/simulator`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

describe("headers", () => {
  it("that are too many or too long are refused before anything is read", async () => {
    const flood = Array.from({ length: 2_000 }, (_, index) => `X-${index}: ${"y".repeat(50)}`);
    const heard = await raw([head("/webhooks/simulator", ...flood, "Content-Length: 2"), "{}"]);
    // The connection is closed under what is still being sent, so that the answer may be lost on its way.
    expect(heard === "" || heard.startsWith("HTTP/1.1 431 ")).toBe(true);
    expect(await postEvent(world.node, { reference: "" })).toBe(200);
  });

  it("of other scripts, and passwords, do not get in the way, and passwords are not kept", async () => {
    const { rawBody, headers } = signedEvent({ reference: "" });
    const odd = { ...headers, "x-odd": "\u00e9\u00ff", authorization: "Basic c2VjcmV0", cookie: "a=b" };
    expect(await post(world.node.http, "simulator", { rawBody, headers: odd })).toBe(200);
    const found = await world.cluster.manager.streams.getMessage("PAYMENTS_WEBHOOKS", {
      last_by_subj: "payments.webhook.simulator.genuine",
    });
    const stored = JSON.parse(found!.header.get("Aegis-Webhook-Headers")) as Record<string, string>;
    expect(stored).toMatchObject({ "x-odd": "\u00e9\u00ff" });
    expect(stored).not.toHaveProperty("authorization");
    expect(stored).not.toHaveProperty("cookie");
  });
});

describe("a rightly signed text", () => {
  it.each([
    ["that is no JSON", "{"],
    ["with a NUL byte", "\u0000"],
    ["that nests 100,000 deep", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["of a shape nobody knows", `{"id":"evt","type":"x","data":{}}`],
  ])("%s is kept, counted, and answered well: a repeat would be the same", async (_, text) => {
    const before = await counted("unreadable");
    const stored = await kept();
    expect(await post(world.node.http, "simulator", signedText(text))).toBe(200);
    expect(await counted("unreadable")).toBe(before + 1);
    expect(await kept()).toBe(stored + 1);
  });

  it("that cannot be read is seen by people", async () => {
    const found = await eventually("a parked entry", () =>
      world.cluster.manager.streams.getMessage("PAYMENTS_DEAD", {
        last_by_subj: "payments.dead._webhooks.simulator.webhook",
      }),
    );
    expect(found!.json()).toMatchObject({ code: "InvalidCommand", reason: expect.stringContaining("cannot be read") });
  });

  it.each([
    ["a wildcard for a payment", "shop.>"],
    ["another wildcard for a payment", "shop/*"],
    ["wildcards for all", "*/>"],
    ["a blank", "shop/a b"],
    ["a dot", "shop/a.b"],
    ["a path", "../../etc"],
    ["three parts", "shop/a/b"],
    ["one part", "shop"],
    ["two empty parts", "/"],
    ["a NUL byte", "shop/\u0000"],
    ["half a character", "\ud800/x"],
    ["a payment of 100,000 characters", `shop/${"a".repeat(100_000)}`],
    ["a merchant of 100,000 characters", `${"a".repeat(100_000)}/x`],
  ] as const)("that names %s reaches no payment and is no part of any subject", async (_, reference) => {
    const before = await counted("ignored");
    expect(await postEvent(world.node, { reference })).toBe(200);
    expect(await counted("ignored")).toBe(before + 1);
  });

  it("with ids of 100 KB is kept, and makes no such message", async () => {
    const long = "9".repeat(100_000);
    const before = await counted("unreadable");
    expect(await postEvent(world.node, { id: long, reference: "shop/long" })).toBe(200);
    expect(await postEvent(world.node, { idempotencyKey: long, reference: "shop/long" })).toBe(200);
    expect(await counted("unreadable")).toBe(before + 2);
  });

  it("whose amount is no whole number is not believed", async () => {
    expect(await postEvent(world.node, { amount: 1.5, reference: "shop/half" })).toBe(200);
    expect(await postEvent(world.node, { amount: 1e300, reference: "shop/half" })).toBe(200);
  });
});

describe("a flood of forged webhooks", () => {
  it("writes next to nothing, and payments go on", async () => {
    const { rawBody } = signedEvent({});
    const forged = {
      rawBody,
      headers: { "webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA" },
    };
    const before = await counted("forged");
    const statuses = new Set<number>();
    for (let round = 0; round < 20; round++) {
      const all = await Promise.all(Array.from({ length: 25 }, () => post(world.node.http, "simulator", forged)));
      for (const status of all) statuses.add(status);
    }
    expect([...statuses]).toEqual([401]);
    expect(await counted("forged")).toBe(before + 500);
    const refused = await world.cluster.manager.streams.info("KV_payments_webhooks_refused");
    expect(refused.state.messages).toBeLessThanOrEqual(20);
    expect((await life.create("afterwards")).payment).toMatchObject({ state: "SUCCESS" });
  });
});
