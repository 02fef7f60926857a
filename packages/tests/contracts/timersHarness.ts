/** What the contract of timers needs of an implementation besides itself, and besides the queue that they fire into. */
import type { Timers } from "@aegispay/runtime/timers/Timers";
import { Context, type Effect } from "effect";

export class TimersHarness extends Context.Service<
  TimersHarness,
  {
    readonly timers: Timers["Service"];
    /** Runs something while no answer comes: what it asks for may or may not be done. */
    readonly whileAway: <A, E>(run: Effect.Effect<A, E>) => Effect.Effect<A, E>;
  }
>()("@aegispay/tests/TimersHarness") {}
