/** A Restate server on an empty disk, with its defaults: one node, each write of its log on disk before it counts. */
import { Effect } from "effect";
import { join } from "node:path";
import { claimPort } from "../../supervisor/NatsServerProcess.ts";
import type { RestateServerFound } from "./findServers.ts";
import { PeerUnavailable } from "./Peer.ts";
import { becomesReady, startServer } from "./ServerProcess.ts";

const freePort = claimPort(0, "").pipe(
  Effect.mapError(({ message }) => new PeerUnavailable({ message: `no port for Restate: ${message}` })),
);

const isHealthy = (url: string) =>
  Effect.promise(() =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ),
  );

const register = (admin: string, service: string) =>
  Effect.tryPromise({
    try: async () => {
      const answer = await fetch(`${admin}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri: service }),
      });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    },
    catch: (cause) => new PeerUnavailable({ message: `Restate takes no service: ${String(cause)}` }),
  });

/** Starts it and makes the service known that listens at `service`; answers the origin of its ingress. */
export const startRestate = Effect.fnUntraced(function* (found: RestateServerFound, service: string, folder: string) {
  const [ingress, admin, node] = [yield* freePort, yield* freePort, yield* freePort];
  const failed = yield* startServer({
    title: "Restate's server",
    command: found.binary,
    args: ["--no-logo", "--listen-mode", "tcp", "--base-dir", join(folder, "restate")],
    env: {
      RESTATE_BIND_IP: "127.0.0.1",
      RESTATE_BIND_PORT: String(node),
      RESTATE_ADVERTISED_HOST: "127.0.0.1",
      RESTATE_INGRESS__BIND_PORT: String(ingress),
      RESTATE_ADMIN__BIND_PORT: String(admin),
      RESTATE_NODE_NAME: "bench",
      RESTATE_LOG_FILTER: "warn",
      RESTATE_DISABLE_TELEMETRY: "true",
    },
    cwd: folder,
    logFile: join(folder, "restate.log"),
  });
  const origins = { ingress: `http://127.0.0.1:${ingress}`, admin: `http://127.0.0.1:${admin}` };
  yield* becomesReady("Restate's admin", isHealthy(`${origins.admin}/health`), failed);
  yield* becomesReady("Restate's ingress", isHealthy(`${origins.ingress}/restate/health`), failed);
  yield* register(origins.admin, service);
  return { origin: origins.ingress, failed };
});
