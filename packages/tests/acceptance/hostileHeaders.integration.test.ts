/** Headers that once stopped a shard, a node, or kept card data for ever: sent as raw protocol, past any client's checks. */
import { connect as connectTcp } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { filesHolding } from "../support/disk.ts";
import { eventually } from "../support/eventually.ts";
import { ask, createBody, publish } from "../support/plainClient.ts";

let deployment: Deployment;
beforeAll(async () => void (deployment = await startDeployment()), 90_000);
afterAll(() => deployment?.stop());

const cardNumber = "4012888888881881";
/** Another one, for subjects: a stream's index may keep the subject of a message that was erased. */
const cardNumberInSubjects = "6011111111111117";

/** Publishes with a header block of exactly these bytes. */
const publishRaw = async (payment: string, headerBlock: string): Promise<void> => {
  const { hostname, port } = new URL(deployment.natsUrl);
  const socket = connectTcp({ host: hostname, port: Number(port) });
  const body = JSON.stringify(createBody());
  let heard = "";
  socket.on("data", (chunk) => void (heard += chunk.toString("latin1")));
  const head = `NATS/1.0\r\n${headerBlock}\r\n\r\n`;
  const subject = `payments.command.shop.${payment}.create`;
  socket.write(`CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n`);
  socket.write(`HPUB ${subject} ${head.length} ${head.length + body.length}\r\n${head}${body}\r\nPING\r\n`);
  await eventually("the server to have taken it", () => heard.includes("PONG"));
  socket.destroy();
};

const parkedCount = async () => (await deployment.manager.streams.info("PAYMENTS_DEAD")).state.messages;
const queued = async () => (await deployment.manager.streams.info("PAYMENTS_COMMANDS")).state.messages;

const allShardsServe = async (name: string): Promise<void> => {
  const replies = await Promise.all(
    Array.from({ length: 48 }, (_, index) =>
      ask(deployment.connection, { payment: `${name}-${index}`, body: createBody() }, 20_000),
    ),
  );
  expect(replies.every(({ payment }) => payment?.state === "SUCCESS")).toBe(true);
};

describe("a command", () => {
  it.each([
    ["a blank in a header's name", "bad name: x"],
    ["a bare line feed in a header's value", "Aegis-Command-Id: a\nb"],
  ])("with %s is parked, and its shard goes on", async (what, block) => {
    const before = await parkedCount();
    await publishRaw(`raw-${block.length}`, block);
    await eventually(
      `the parked copy of ${what}`,
      async () => (await parkedCount()) > before && (await queued()) === 0,
    );
    await allShardsServe(`after-${block.length}`);
  });

  it("with a traceparent of 65,000 bytes is paid, without it, and holds up nobody", async () => {
    const headers = { traceparent: "0".repeat(65_000) };
    const replies = await Promise.all(
      [1, 2, 3].map((index) => ask(deployment.connection, { payment: `trace-${index}`, body: createBody(), headers })),
    );
    expect(replies.map(({ payment }) => payment?.state)).toEqual(["SUCCESS", "SUCCESS", "SUCCESS"]);
    await allShardsServe("after-trace");
  });

  it("whose traceparent is one is found in the log's headers", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await ask(deployment.connection, { payment: "traced", body: createBody(), headers: { traceparent } });
    const stored = await deployment.manager.streams.getMessage("PAYMENTS_EVENTS", {
      last_by_subj: "payments.event.shop.traced",
    });
    const first = await deployment.manager.streams.getMessage("PAYMENTS_EVENTS", { seq: stored!.seq - 1 });
    expect(first?.header.get("traceparent")).toBe(traceparent);
  });

  it("with a card number in an id, a verb, a token or a header is refused, and no disk keeps it", async () => {
    const numberedToken = { "Aegis-Reply-To": cardNumber };
    await publish(deployment.connection, { payment: "pan-token", body: createBody(), headers: numberedToken });
    await publish(deployment.connection, {
      payment: "pan-trace",
      body: createBody(),
      headers: { traceparent: cardNumber },
    });
    await publish(deployment.connection, {
      payment: "pan-other",
      body: createBody(),
      headers: { "X-Note": `card ${cardNumber}` },
    });
    await publish(deployment.connection, { payment: cardNumberInSubjects, body: createBody() });
    await publish(deployment.connection, { payment: "pan-verb", verb: cardNumberInSubjects, body: createBody() });
    await publish(deployment.connection, {
      payment: "pan-utf16",
      body: Buffer.from(`{"x":"${cardNumber}"}`, "utf16le"),
    });
    await eventually("all of them to be refused", async () => (await queued()) === 0);
    expect(filesHolding(deployment.dataDir, cardNumber)).toEqual([]);
    expect(
      filesHolding(deployment.dataDir, cardNumberInSubjects).filter((file) => !file.includes("PAYMENTS_COMMANDS")),
    ).toEqual([]);
  });
});
