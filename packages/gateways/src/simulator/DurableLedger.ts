/** The ledger and its journal as one: what is recorded is in memory at once and on disk before `written` returns. */
import { Effect, FileSystem, Schema, type Scope } from "effect";
import type { PlatformError } from "effect/PlatformError";
import { openJournal } from "./Journal.ts";
import { Ledger, LedgerRecord } from "./Ledger.ts";

export interface DurableLedger {
  readonly ledger: Pick<Ledger, "byId" | "byReference" | "ownerOf" | "delayedOf" | "requestsOf" | "report">;
  readonly record: (record: LedgerRecord) => void;
  readonly written: Effect.Effect<void, PlatformError>;
}

/** A line of the journal that this version cannot read: going on without it could charge somebody twice. */
class LedgerUnreadable extends Schema.TaggedError<LedgerUnreadable>()("LedgerUnreadable", {
  message: Schema.String,
}) {}

const decodeRecord = Schema.decodeUnknownSync(Schema.fromJsonString(LedgerRecord));

export const openLedger: (
  dataDir: string,
) => Effect.Effect<DurableLedger, LedgerUnreadable | PlatformError, FileSystem.FileSystem | Scope.Scope> =
  Effect.fnUntraced(function* (dataDir) {
    const files = yield* FileSystem.FileSystem;
    yield* files.makeDirectory(dataDir, { recursive: true });
    const path = `${dataDir}/ledger.ndjson`;
    const { lines, journal } = yield* openJournal(path);
    const ledger = new Ledger();
    for (const [index, line] of lines.entries()) {
      yield* Effect.try({
        try: () => ledger.apply(decodeRecord(line)),
        catch: (cause) => new LedgerUnreadable({ message: `${path}, line ${index + 1}: ${String(cause)}` }),
      });
    }
    return {
      ledger,
      record: (record) => {
        ledger.apply(record);
        journal.append(JSON.stringify(record));
      },
      written: journal.written,
    };
  });
