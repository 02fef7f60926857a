/** Whether a peer did what it was paid for: the simulator's ledger is the judge, as everywhere. */
import { PeerUnavailable } from "./Peer.ts";
import { Effect } from "effect";

export interface LedgerCharge {
  /** `bench/<payment>`. */
  readonly reference: string;
  readonly status: string;
}

const examplesMax = 3;

/** What is wrong with a ledger that should hold exactly one charge of each payment; undefined if nothing is. */
export const wrongInLedger = (
  charges: ReadonlyArray<LedgerCharge>,
  paymentIds: ReadonlyArray<string>,
): string | undefined => {
  const charged = Map.groupBy(
    charges.filter(({ status }) => status === "succeeded"),
    ({ reference }) => reference,
  );
  const expected = new Set(paymentIds.map((paymentId) => `bench/${paymentId}`));
  const wrong = [
    { what: "charged more than once", found: [...charged].filter(([, of]) => of.length > 1).map(([key]) => key) },
    { what: "not charged", found: [...expected].filter((key) => !charged.has(key)) },
    { what: "charged without being asked for", found: [...charged.keys()].filter((key) => !expected.has(key)) },
  ].filter(({ found }) => found.length > 0);
  if (wrong.length === 0) return undefined;
  return wrong
    .map(({ what, found }) => `${found.length} payments were ${what} (${found.slice(0, examplesMax).join(", ")})`)
    .join("; ");
};

/** Fails when not every payment was charged exactly once. */
export const checkLedger = Effect.fnUntraced(function* (simulator: string, paymentIds: ReadonlyArray<string>) {
  const ledger = yield* Effect.tryPromise({
    try: async () => (await (await fetch(`${simulator}/admin/ledger`)).json()) as { charges: Array<LedgerCharge> },
    catch: (cause) => new PeerUnavailable({ message: `the gateway's ledger cannot be read: ${String(cause)}` }),
  });
  const wrong = wrongInLedger(ledger.charges, paymentIds);
  if (wrong !== undefined) return yield* new PeerUnavailable({ message: `its round does not count: ${wrong}` });
});
