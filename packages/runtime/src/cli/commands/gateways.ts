/** `aegispay gateways`: the gateways of the configuration, and how they are doing as the cluster has seen it. */
import { liveKey, type Figures } from "@aegispay/core/routing/LiveFigures";
import { Effect } from "effect";
import { Command } from "effect/cli";
import { circuitKey, type CircuitKind } from "../../resilience/Breakers.ts";
import { gatewaysOf, viewCluster } from "../clusterView.ts";
import { checkRoot, jsonFlag, natsFlags } from "../connection.ts";
import { gatewayFlags, readGateways } from "../gatewaysFile.ts";
import { printJson, printProgress, printResult, table } from "../output.ts";

const healthOf = ({ score, calls, answered, attempts, successes, latencyMillis }: Figures) => ({
  score,
  calls,
  answered,
  attempts,
  successes,
  ...(attempts === 0 ? {} : { successRate: successes / attempts }),
  ...(latencyMillis === undefined ? {} : { latencyMillis }),
});

export const gateways = Command.make(
  "gateways",
  { ...natsFlags, ...gatewayFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const { config } = yield* readGateways(flags.gateways, flags.simulatorUrl);
    const { resilience, limits } = yield* gatewaysOf(config);
    const view = yield* viewCluster(flags);
    const { routing = {} } = config;
    const rows = config.gateways.map((entry) => {
      const { name, type, account = "default", timeoutMillis, maxConnections } = entry;
      const circuitOf = (kind: CircuitKind) => view.circuits.get(circuitKey(name, account, kind))?.state ?? "CLOSED";
      const figures = view.figures.get(liveKey(name, account));
      return {
        name,
        type,
        account,
        breakers: view.away === undefined ? { money: circuitOf("money"), lookUp: circuitOf("lookUp") } : null,
        health: figures === undefined ? null : healthOf(figures),
        limits: {
          ...(timeoutMillis === undefined ? {} : { timeoutMillis }),
          ...(maxConnections === undefined ? {} : { maxConnections }),
          ...resilience?.(name, account),
        },
        ...(routing.weights?.[name] === undefined ? {} : { weight: routing.weights[name] }),
        ...routing.gateways?.[name],
      };
    });
    const cluster = view.away === undefined ? { connected: true } : { connected: false, why: view.away };
    const rules = (routing.rules ?? []).map((rule) => rule.name);
    const strategy = routing.strategy ?? "order";
    const document = {
      gateways: rows,
      routing: { strategy, rules },
      limits: limits?.() ?? {},
      cluster: { ...cluster, nodes: view.nodes },
    };
    if (flags.json) return yield* printJson(document);
    const cells = rows.map(({ name, type, account, breakers, health }) => [
      name,
      type,
      account,
      breakers === null ? "?" : `${breakers.money} / ${breakers.lookUp}`,
      String(health?.score ?? "-"),
      health?.successRate === undefined ? "-" : `${health.successes} of ${health.attempts}`,
      health?.latencyMillis === undefined ? "-" : `${Math.round(health.latencyMillis)} ms`,
    ]);
    const titles = ["gateway", "type", "account", "breakers (money / look-ups)", "health", "went well", "latency"];
    yield* printResult(table(titles, cells));
    yield* printResult(`strategy ${strategy}${rules.length === 0 ? "" : `, rules: ${rules.join(", ")}`}`);
    if (view.away !== undefined) yield* printProgress(`how they are doing is not known: ${view.away}`);
    else if (view.nodes.length === 0) yield* printProgress("no node has called a gateway lately");
  }),
).pipe(Command.withDescription("Show the gateways, their breakers, health and limits"));
