/** A cluster whose gateways are two simulators, north and south, each a process with a ledger of its own, and a routing table. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster, startSimulatorProcess, type Cluster, type SimulatorProcess } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { clearFaults, readLedger, type LedgerCharge } from "./ledger.ts";
import { query, type PlainPayment } from "./plainClient.ts";

export interface Route {
  readonly strategy: string;
  readonly rule?: string;
  readonly order: ReadonlyArray<{ readonly gateway: string; readonly why: ReadonlyArray<string> }>;
  readonly skipped: ReadonlyArray<{ readonly gateway: string; readonly why: string }>;
}

/** What an attempt's start says in the log. */
export interface Started {
  readonly attempt: number;
  readonly gateway: string;
  readonly why: string;
  readonly route?: Route;
}

export interface GatewayPair {
  readonly cluster: Cluster;
  readonly north: () => SimulatorProcess;
  readonly south: () => SimulatorProcess;
  /** Where the nodes' metrics are. */
  readonly http: string;
  /** The configuration file of its nodes. */
  readonly file: string;
  /** North comes up again where it was, with the ledger that it had. */
  readonly restartNorth: () => Promise<void>;
  readonly restartSouth: () => Promise<void>;
  /** Charges of the payment at each gateway. */
  readonly charges: (
    payment: string,
  ) => Promise<{ readonly north: ReadonlyArray<LedgerCharge>; readonly south: ReadonlyArray<LedgerCharge> }>;
  /** Minor units taken for the payment, at both together. */
  readonly taken: (payment: string) => Promise<number>;
  readonly starts: (payment: string) => Promise<ReadonlyArray<Started>>;
  readonly until: (payment: string, what: string, isSo: (found: PlainPayment) => boolean) => Promise<PlainPayment>;
  readonly clearFaults: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface PairOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly routing?: unknown;
  readonly workers?: number;
  /** How long a gateway's answer is waited for, in milliseconds. */
  readonly timeoutMillis?: number;
  /** What surrounds the calls to each; by default no breaker ever opens. */
  readonly resilience?: { readonly north: unknown; readonly south: unknown };
  /** Beside north and south. */
  readonly others?: ReadonlyArray<unknown>;
}

/** For tests that are about other things. */
export const noBreaker = { failureThreshold: 1_000_000 };

/** Retries and look-ups that come quickly and do not end while a test runs. */
const policy = {
  retryDelaysMillis: [50],
  createAgainDelaysMillis: [300],
  lookUpDelaysMillis: [0, ...Array.from({ length: 200 }, () => 300)],
  maxRetries: 2,
};

export const startGatewayPair = async (options: PairOptions = {}): Promise<GatewayPair> => {
  const { settings = {}, routing, workers = 1, timeoutMillis = 400, others = [] } = options;
  const { resilience = { north: noBreaker, south: noBreaker } } = options;
  const cluster = await startCluster({ timerFromMillis: 200, policy, ...settings });
  const folder = join(cluster.folder, "north");
  let north = await startSimulatorProcess(folder);
  let south = await startSimulatorProcess(join(cluster.folder, "south"));
  const entry = (name: "north" | "south", url: string) => ({
    name,
    type: "simulator",
    url,
    timeoutMillis,
    resilience: resilience[name],
  });
  const gateways = [entry("north", north.url), entry("south", south.url), ...others];
  const file = join(cluster.folder, "gateways.json");
  writeFileSync(file, JSON.stringify({ gateways, ...(routing === undefined ? {} : { routing }) }));
  const { http } = await cluster.startNodes({ nodeId: "pair", workers, env: { AEGISPAY_GATEWAYS: file } });
  const charges = async (payment: string) => {
    const of = async ({ url }: SimulatorProcess) =>
      (await readLedger(url)).filter(({ reference }) => reference === `shop/${payment}`);
    return { north: await of(north), south: await of(south) };
  };
  return {
    cluster,
    http,
    north: () => north,
    south: () => south,
    file,
    restartNorth: async () => {
      north = await startSimulatorProcess(folder, new URL(north.url).port);
    },
    restartSouth: async () => {
      south = await startSimulatorProcess(join(cluster.folder, "south"), new URL(south.url).port);
    },
    charges,
    taken: async (payment) => {
      const { north: first, south: second } = await charges(payment);
      return [...first, ...second].reduce((sum, { captured }) => sum + captured, 0);
    },
    starts: async (payment) =>
      (await query(cluster.connection, payment, "events"))
        .events!.filter(({ type }) => type === "AttemptStarted")
        .map(({ data }) => data as Started),
    until: (payment, what, isSo) =>
      eventually(`${payment}: ${what}`, async () => {
        const found = await query(cluster.connection, payment, "get").catch(() => undefined);
        return found?.payment !== undefined && isSo(found.payment) && found.payment;
      }),
    clearFaults: async () => {
      await Promise.all([clearFaults(north.url), clearFaults(south.url)]);
    },
    stop: async () => {
      await cluster.stop();
      await Promise.all([north.stop(), south.stop()]);
    },
  };
};
