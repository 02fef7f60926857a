/**
 * The configuration that a process works with now. It comes with its options, and is replaced whenever its primary sends
 * another; whoever needs a part of it asks each time, and keeps nothing.
 */
import { Gateways } from "@aegispay/gateways/Gateway";
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { makeReloadingGateways } from "@aegispay/gateways/ReloadingGateways";
import { Cause, Context, Effect, Exit, Layer, Queue } from "effect";
import { hookNames } from "../hooks/Hooks.ts";
import { HooksInForce, type ConfiguredHooks } from "../hooks/HooksInForce.ts";
import { loadHooks } from "../hooks/loadHooks.ts";
import { count, metric } from "../metrics/Metrics.ts";

export class ConfigurationInForce extends Context.Service<
  ConfigurationInForce,
  { readonly current: () => GatewaysConfig }
>()("@aegispay/runtime/ConfigurationInForce") {}

const configuredHooks = Effect.fnUntraced(function* ({ hooks: config }: GatewaysConfig) {
  if (config === undefined) return undefined;
  const { module, ...rules } = config;
  return { hooks: yield* loadHooks(module), rules } satisfies ConfiguredHooks;
});

/** A fraud check that is not asked any more lets everything through: whoever left it out by mistake should read of it. */
const announceHooks = (before: ConfiguredHooks | undefined, now: ConfiguredHooks | undefined): Effect.Effect<void> => {
  const gone = hookNames.filter((name) => before?.hooks[name] !== undefined && now?.hooks[name] === undefined);
  const fresh = hookNames.filter((name) => before?.hooks[name] === undefined && now?.hooks[name] !== undefined);
  return Effect.andThen(
    gone.length === 0
      ? Effect.void
      : Effect.logWarning(
          `the configuration has no such hooks any more, they are asked nothing from now on: ${gone.join(", ")}`,
        ),
    fresh.length === 0 ? Effect.void : Effect.logInfo(`hooks that are asked or told from now on: ${fresh.join(", ")}`),
  );
};

/** Of a process whose configurations come through `changes`; a later one is in force as a whole, or not at all. */
export const layerConfiguration = (first: GatewaysConfig, changes?: Queue.Dequeue<GatewaysConfig>) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const reloading = yield* makeReloadingGateways(first);
      let hooks = yield* configuredHooks(first);
      const replace = Effect.fnUntraced(function* (next: GatewaysConfig) {
        const nextHooks = yield* configuredHooks(next);
        const before = hooks;
        yield* reloading.reload(next, () => void (hooks = nextHooks));
        yield* announceHooks(before, nextHooks);
      });
      const follow = (queue: Queue.Dequeue<GatewaysConfig>) =>
        Effect.gen(function* () {
          const next = yield* Queue.take(queue);
          const applied = yield* Effect.exit(replace(next));
          count(metric.configReloads(Exit.isSuccess(applied) ? "applied" : "refused"));
          if (Exit.isFailure(applied)) {
            const reason = Cause.squash(applied.cause);
            const message = reason instanceof Error ? reason.message : String(reason);
            yield* Effect.logError(`the configuration stays as it was here: ${message}`);
          }
        });
      if (changes !== undefined) yield* Effect.forkScoped(Effect.forever(follow(changes)));
      return Context.make(Gateways, reloading.gateways).pipe(
        Context.add(ConfigurationInForce, { current: reloading.current }),
        Context.add(HooksInForce, { current: () => hooks }),
      );
    }),
  );
