/**
 * What became of the payments that an owner left behind: counted while they are tried again, reported once, with the
 * fields of the guide's CrashRecoveryReport (facts/seed.md).
 */
import { Context, type Effect } from "effect";

export interface RecoveryReport {
  readonly shard: number;
  readonly epoch: number;
  readonly node: string;
  /** When the shard was taken over, ISO 8601. */
  readonly at: string;
  /** Payments that had something un-acked when the owner before ended. */
  readonly totalPayments: number;
  /** Those of them that still owed something. */
  readonly inFlightPayments: number;
  /** Those that have come to rest, or wait on a durable timer. */
  readonly recoveredPayments: number;
  /** Those that were parked. */
  readonly failedRecoveries: number;
  /** From winning the lease until the shard was consumed. */
  readonly takeOverMillis: number;
  /** From then until the last payment was recovered; of an unfinished recovery, until the report. */
  readonly recoveryMillis: number;
  /** Whether all of them were tried to an end before the report was due. */
  readonly complete: boolean;
  /** Every payment that was in flight, `<merchant>/<payment>`; the first thousand. */
  readonly payments: ReadonlyArray<string>;
}

/** The port of recovery reports: the last one of each shard is kept. */
export class RecoveryReports extends Context.Service<
  RecoveryReports,
  { readonly report: (report: RecoveryReport) => Effect.Effect<void> }
>()("@aegispay/runtime/RecoveryReports") {}

const listedPaymentsMax = 1_000;

/** Counts one recovery. `deliveries`: how many the owner before had been given and had not acked. */
export class RecoveryCount {
  readonly #deliveries: number;
  readonly #seen = new Set<string>();
  readonly #inFlight = new Set<string>();
  readonly #recovered = new Set<string>();
  readonly #failed = new Set<string>();
  #resolved = 0;

  constructor(deliveries: number) {
    this.#deliveries = deliveries;
  }

  found(payment: string, owed: boolean): void {
    this.#seen.add(payment);
    if (owed) this.#inFlight.add(payment);
  }

  settled(payment: string): void {
    this.#resolved++;
    this.#seen.add(payment);
    if (this.#inFlight.has(payment)) this.#recovered.add(payment);
  }

  failed(payment: string): void {
    this.#resolved++;
    this.#seen.add(payment);
    this.#inFlight.add(payment);
    this.#recovered.delete(payment);
    this.#failed.add(payment);
  }

  get isComplete(): boolean {
    return this.#resolved >= this.#deliveries;
  }

  get figures() {
    return {
      totalPayments: this.#seen.size,
      inFlightPayments: this.#inFlight.size,
      recoveredPayments: this.#recovered.size,
      failedRecoveries: this.#failed.size,
      complete: this.isComplete,
      payments: [...this.#inFlight].slice(0, listedPaymentsMax),
    };
  }
}
