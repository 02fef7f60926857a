/**
 * How the gateways are doing, as the whole cluster has seen it within a moving window: what routing decides by. Nothing here
 * waits: to observe and to read are synchronous, and what nodes tell each other goes by the side (NatsGatewayHealth).
 */
import { liveKey, unseen, type Figures, type LiveFigures } from "@aegispay/core/routing/LiveFigures";
import type { Candidate } from "@aegispay/core/payment/Given";
import { Clock, Context, Effect } from "effect";
import { Breakers } from "../resilience/Breakers.ts";
import { ClusterFigures } from "./ClusterFigures.ts";
import type { Heard } from "./verdict.ts";

export class GatewayHealth extends Context.Service<
  GatewayHealth,
  {
    /** What came of a call. `isCharge`: a charge was sent, and not only asked about; `millis`: how long that took. */
    readonly observe: (gateway: string, account: string, isCharge: boolean, heard: Heard, millis: number) => void;
    /** By `liveKey`, with those breakers of the candidates that are open just now. */
    readonly live: (candidates: ReadonlyArray<Candidate>) => LiveFigures;
  }
>()("@aegispay/runtime/GatewayHealth") {}

/** Breakers change between two looks at the figures: they are read each time. */
const withBreakers = (
  figures: ReadonlyMap<string, Figures>,
  candidates: ReadonlyArray<Candidate>,
  isOpen: (typeof Breakers.Service)["isOpen"],
): LiveFigures => {
  const open = candidates.filter(({ gateway, account }) => isOpen(gateway, account));
  if (open.length === 0) return figures;
  const live = new Map(figures);
  for (const { gateway, account } of open) {
    const key = liveKey(gateway, account);
    live.set(key, { ...(live.get(key) ?? unseen), breakerOpen: true });
  }
  return live;
};

/** The service as one process sees it, and what lets it hear of the others. */
export const makeHealth = Effect.gen(function* () {
  const clock = yield* Clock.Clock;
  const { isOpen } = yield* Breakers;
  const cluster = new ClusterFigures();
  /** Monotonic: a clock that is set must not empty the window. */
  const nowMillis = (): number => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n);
  const health = GatewayHealth.of({
    observe: (gateway, account, isCharge, heard, millis) =>
      cluster.see(nowMillis(), gateway, account, isCharge, heard, millis),
    live: (candidates) => withBreakers(cluster.figures(nowMillis()), candidates, isOpen),
  });
  return { health, cluster, nowMillis };
});
