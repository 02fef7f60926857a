/** Routing and the real circuit breakers, over two workers: a gateway that is down is left alone, and payments go elsewhere. */
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { startGatewayPair, type GatewayPair } from "../support/gatewayPair.ts";
import { ask, createBody, insist, publish } from "../support/plainClient.ts";

let pair: GatewayPair;
beforeAll(async () => {
  const quick = { failureThreshold: 3, successThreshold: 1, maxRetries: 2, initialDelayMillis: 50, maxDelayMillis: 50 };
  const resilience = { north: { ...quick, openForMillis: 600_000 }, south: { ...quick, openForMillis: 5_000 } };
  pair = await startGatewayPair({ workers: 2, resilience });
}, 90_000);
afterAll(() => pair?.stop());

const create = (payment: string) => insist(pair.cluster.connection, { payment, body: createBody("tok_visa", 100) });
const cli = (...args: ReadonlyArray<string>) =>
  runCli([...args, "--gateways", pair.file], { AEGISPAY_NATS_URL: pair.cluster.nats.url });

/** Payment after payment, until one is as is waited for. */
const createUntil = <Found>(prefix: string, look: (payment: string) => Promise<Found | undefined | false>) => {
  let number = 0;
  return eventually(prefix, () => look(`${prefix}-${++number}`));
};

describe("a gateway that is down", () => {
  it("is left as soon as its breaker is open, on every worker, and the log says so", async () => {
    process.kill(pair.north().pid, "SIGKILL");
    const isDown = () =>
      fetch(pair.north().url).then(
        () => false,
        () => true,
      );
    // A connection that is still accepted while it dies is no certain refusal.
    await eventually("it to be down", isDown);
    expect(await create("first")).toMatchObject({ payment: { state: "SUCCESS", gateway: "south" } });
    const skipped = [{ gateway: "north", account: "default", why: "its breaker is open" }];
    const isSkipped = async (payment: string) => {
      expect(await create(payment)).toMatchObject({ payment: { state: "SUCCESS", gateway: "south" } });
      const [start] = await pair.starts(payment);
      return start?.gateway === "south" && start;
    };
    expect(await createUntil("skipped", isSkipped)).toMatchObject({ attempt: 1, route: { skipped } });
    // By now both workers have heard of it: of twenty payments none is brought there.
    for (let number = 0; number < 20; number++)
      expect(await isSkipped(`settled-${number}`)).toMatchObject({ attempt: 1 });
  });

  it("is shown with its breaker, and a route is explained by it", async () => {
    const { stdout } = await cli("gateways", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      gateways: [
        { name: "north", breakers: { money: "OPEN" }, limits: { failureThreshold: 3, openForMillis: 600_000 } },
        { name: "south", breakers: { money: "CLOSED" } },
      ],
    });
    const explained = await cli("route", "--explain", "--merchant", "shop", "--amount", "1", "--currency", "USD");
    expect(explained.stdout).toContain("not north (default): its breaker is open");
  });

  it("leaves no gateway when the other one is down too: refused for now, and taken again once one is back", async () => {
    process.kill(pair.south().pid, "SIGKILL");
    const refused = await createUntil("both-down", async (payment) => {
      // Those that were brought to it before its breaker was open are not answered while it is down.
      const body = createBody("tok_visa", 100);
      const reply = await ask(pair.cluster.connection, { payment, body }, 1_000).catch(() => undefined);
      return reply?.ok === false && { payment, error: reply.error };
    });
    expect(refused.error).toMatchObject({
      code: "NoGatewayAvailable",
      retryable: true,
      message: "no gateway can take this payment: north: its breaker is open; south: its breaker is open",
    });
    // Nobody waits for this one: it is not refused, and waits on a timer.
    await publish(pair.cluster.connection, { payment: "patient", body: createBody("tok_visa", 100) });
    const manager = await jetstreamManager(pair.cluster.connection);
    const filter = { subjects_filter: "payments.timer.shop.patient.*.*" };
    const timers = async () =>
      Object.keys((await manager.streams.info("PAYMENTS_TIMERS", filter)).state.subjects ?? {});
    await eventually("it to wait", async () => (await timers()).length > 0);
    await pair.restartSouth();
    expect(await pair.until("patient", "it to go on", ({ state }) => state === "SUCCESS")).toMatchObject({
      gateway: "south",
    });
    // The very same create: nothing of it had begun.
    const taken = await eventually("south again", async () => {
      const body = createBody("tok_visa", 100);
      const reply = await ask(pair.cluster.connection, { payment: refused.payment, body });
      return reply.ok && reply;
    });
    expect(taken).toMatchObject({ payment: { state: "SUCCESS", gateway: "south" } });
    expect(await pair.starts(refused.payment)).toMatchObject([{ gateway: "south" }]);
    await pair.restartNorth();
    expect(await pair.taken(refused.payment)).toBe(100);
    expect(await pair.taken("patient")).toBe(100);
  });
});
