/** The ledger and its journal as one: what is recorded is in memory at once and on disk before `written` returns. */
import { Effect, FileSystem, Schema, type Scope } from "effect";
import type { PlatformError } from "effect/PlatformError";
import { openJournal } from "./Journal.ts";
import { Ledger, LedgerRecord } from "./Ledger.ts";
import { WebhookOutbox, WebhookRecord } from "./WebhookOutbox.ts";

export interface DurableLedger {
  readonly ledger: Pick<Ledger, "byId" | "byReference" | "ownerOf" | "delayedOf" | "requestsOf" | "report">;
  readonly outbox: Pick<WebhookOutbox, "target" | "made" | "pending">;
  readonly record: (record: LedgerRecord) => void;
  readonly recordWebhook: (record: WebhookRecord) => void;
  /** Called after each record of the ledger, in the same synchronous step. */
  readonly onRecorded: (listener: (record: LedgerRecord) => void) => void;
  readonly written: Effect.Effect<void, PlatformError>;
}

/** A line of the journal that this version cannot read: going on without it could charge somebody twice. */
class LedgerUnreadable extends Schema.TaggedError<LedgerUnreadable>()("LedgerUnreadable", {
  message: Schema.String,
}) {}

const isWebhookRecord = (record: LedgerRecord | WebhookRecord): record is WebhookRecord =>
  record.type.startsWith("webhook");

const decodeRecord = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Union([LedgerRecord, WebhookRecord])));

export const openLedger: (
  dataDir: string,
) => Effect.Effect<DurableLedger, LedgerUnreadable | PlatformError, FileSystem.FileSystem | Scope.Scope> =
  Effect.fnUntraced(function* (dataDir) {
    const files = yield* FileSystem.FileSystem;
    yield* files.makeDirectory(dataDir, { recursive: true });
    const path = `${dataDir}/ledger.ndjson`;
    const { lines, journal } = yield* openJournal(path);
    const ledger = new Ledger();
    const outbox = new WebhookOutbox();
    const read = (record: LedgerRecord | WebhookRecord): void =>
      isWebhookRecord(record) ? outbox.apply(record) : ledger.apply(record);
    let recorded: (record: LedgerRecord) => void = () => undefined;
    for (const [index, line] of lines.entries()) {
      yield* Effect.try({
        try: () => read(decodeRecord(line)),
        catch: (cause) => new LedgerUnreadable({ message: `${path}, line ${index + 1}: ${String(cause)}` }),
      });
    }
    return {
      ledger,
      outbox,
      record: (record) => {
        ledger.apply(record);
        journal.append(JSON.stringify(record));
        recorded(record);
      },
      recordWebhook: (record) => {
        outbox.apply(record);
        journal.append(JSON.stringify(record));
      },
      onRecorded: (listener) => void (recorded = listener),
      written: journal.written,
    };
  });
