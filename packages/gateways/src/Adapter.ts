/** How a kind of gateway is put into a configuration: what `type` names, and what is made of an entry. */
import type { Effect, Schema, Scope } from "effect";
import type { SecretMissing } from "./configuration/Secret.ts";
import type { ResilienceConfig } from "./configuration/Resilience.ts";
import type { Gateway } from "./Gateway.ts";

/** What every entry has. */
interface GatewayEntry {
  readonly name: string;
  readonly type: string;
  readonly account?: string;
  readonly keyRetentionMillis?: number;
  readonly resilience?: ResilienceConfig;
}

export interface Adapter<Entry extends GatewayEntry, Encoded = Entry> {
  readonly config: Schema.Codec<Entry, Encoded>;
  /** How long the gateway remembers an idempotency key where the entry says nothing, in milliseconds. */
  readonly keyRetentionMillis: number;
  /** Knobs that are other than the guide's for this kind of gateway, where the entry does not turn them. */
  readonly resilience?: ResilienceConfig;
  /** Its connections close with the scope. */
  make(entry: Entry): Effect.Effect<Gateway, SecretMissing, Scope.Scope>;
}
