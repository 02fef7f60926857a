/** Holds the simulator's own ledger against what was asked for: the ledger is the judge, never our own records. */
import { Data, Effect, Schema } from "effect";
import type { Fate } from "./Fates.ts";

const Ledger = Schema.Struct({
  charges: Schema.Array(
    Schema.Struct({
      reference: Schema.String,
      status: Schema.String,
      amount: Schema.Number,
      captured: Schema.Number,
    }),
  ),
});

export class LedgerUnreachable extends Data.TaggedError("LedgerUnreachable")<{ readonly cause: unknown }> {}

export interface Ended {
  readonly reference: string;
  readonly fate: Fate;
  readonly amount: number;
  /** Undefined: no answer came. */
  readonly state: string | undefined;
  readonly millis: number;
}

export interface FateAudit {
  readonly fate: string;
  readonly payments: number;
  readonly asExpected: number;
  readonly chargedOnce: number;
  readonly notCharged: number;
  readonly chargedTwice: number;
  readonly inFlight: number;
}

const readLedger = (simulator: string) =>
  Effect.tryPromise({
    try: async () => (await fetch(`${simulator}/admin/ledger`)).json(),
    catch: (cause) => new LedgerUnreachable({ cause }),
  }).pipe(Effect.flatMap(Schema.decodeUnknownEffect(Ledger)));

const auditFate = (
  fate: Fate,
  ended: ReadonlyArray<Ended>,
  charges: ReadonlyMap<string, ReadonlyArray<number>>,
): FateAudit => {
  const chargesOf = ({ reference }: Ended) => charges.get(reference) ?? [];
  const right = (one: Ended): boolean => {
    const taken = chargesOf(one);
    return (
      one.state === fate.ends &&
      (fate.ends === "SUCCESS" ? taken.length === 1 && taken[0] === one.amount : taken.length === 0)
    );
  };
  return {
    fate: fate.name,
    payments: ended.length,
    asExpected: ended.filter(right).length,
    chargedOnce: ended.filter((one) => chargesOf(one).length === 1).length,
    notCharged: ended.filter((one) => chargesOf(one).length === 0).length,
    chargedTwice: ended.filter((one) => chargesOf(one).length > 1).length,
    inFlight: ended.filter((one) => one.state === undefined).length,
  };
};

/** One line a fate. Money that was taken is what counts: a charge with nothing captured took none. */
export const audit = Effect.fnUntraced(function* (
  simulator: string,
  fates: ReadonlyArray<Fate>,
  ended: ReadonlyArray<Ended>,
) {
  const ledger = yield* readLedger(simulator);
  const charges = new Map<string, Array<number>>();
  for (const charge of ledger.charges) {
    if (charge.captured === 0) continue;
    const taken = charges.get(charge.reference) ?? [];
    charges.set(charge.reference, taken);
    taken.push(charge.captured);
  }
  return fates.map((fate) =>
    auditFate(
      fate,
      ended.filter((one) => one.fate === fate),
      charges,
    ),
  );
});
