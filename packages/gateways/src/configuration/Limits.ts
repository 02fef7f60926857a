/**
 * The `limits` section of the configuration: how much of what payments share one gateway, or one merchant, may occupy. What
 * is over is held back, and waits on a durable timer.
 */
import { Schema } from "effect";

/** Below a half, so that of two floods neither fills the window of a shard. */
const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0.01, maximum: 0.49 }));

export const LimitsConfig = Schema.Struct({
  /**
   * Part of a shard's window (128 payments) that payments which wait for, or are at, one gateway may occupy: 0.01 to 0.49,
   * default 0.49. One gateway that does not answer so leaves the other half to the others.
   */
  gatewayShare: Schema.optionalKey(Share),
  /**
   * The same for the payments of one merchant: 0.01 to 0.49, default 0.25. Below gatewayShare, so that the flood of one
   * merchant leaves places at its gateway to others.
   */
  merchantShare: Schema.optionalKey(Share),
  /**
   * How long a call waits in the process for a place among the concurrent calls of its gateway, and for its turn under
   * callsPerSecond, in milliseconds: 0 to 4000, default 4000. Then it is held back.
   */
  waitMillis: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000 }))),
});

export interface Limits {
  readonly gatewayShare: number;
  readonly merchantShare: number;
  readonly waitMillis: number;
}

export const defaultLimits: Limits = { gatewayShare: 0.49, merchantShare: 0.25, waitMillis: 4_000 };

export const limitsOf = (config: typeof LimitsConfig.Type = {}): Limits => ({ ...defaultLimits, ...config });
