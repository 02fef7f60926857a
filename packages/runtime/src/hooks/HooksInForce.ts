/** The hooks that this process asks, and by which rules: of the configuration in force, or of whoever embeds a node. */
import type { HooksConfig } from "@aegispay/gateways/configuration/hooksConfig";
import { Context, Layer } from "effect";
import type { Hooks } from "./Hooks.ts";

export type HookRules = Omit<HooksConfig, "module">;

export interface ConfiguredHooks {
  readonly hooks: Hooks;
  readonly rules: HookRules;
}

export class HooksInForce extends Context.Service<
  HooksInForce,
  { readonly current: () => ConfiguredHooks | undefined }
>()("@aegispay/runtime/HooksInForce") {}

/** Hooks of a node that is embedded: they stay, whatever the configuration says. */
export const layerHooks = (hooks: Hooks, rules: HookRules = {}): Layer.Layer<HooksInForce> =>
  Layer.succeed(HooksInForce, { current: () => ({ hooks, rules }) });
