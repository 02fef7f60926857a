/**
 * The simulator's durable memory: a file of one JSON record a line, only ever appended to.
 *
 * 1. `append` never waits; `written` does, until all that was appended before is in the file. No answer leaves before
 *    it: a client never learns what a killed process would have forgotten.
 * 2. One write at a time. What is appended meanwhile leaves together in the next one.
 * 3. A record without its line feed was never answered: it is cut off when the file is read.
 *
 * Written means handed to the operating system: it survives the death of the process, not that of the machine, which is
 * all the tests take away from it. One process a file: two writers would not see each other's charges.
 */
import { Deferred, Effect, FileSystem, Latch, type Scope } from "effect";
import type { PlatformError } from "effect/PlatformError";

export interface Journal {
  readonly append: (line: string) => void;
  readonly written: Effect.Effect<void, PlatformError>;
}

/** What stands in the file, whole lines only; a torn last line is removed from the file. */
const readLines = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem;
  if (!(yield* files.exists(path))) return [];
  const bytes = Buffer.from(yield* files.readFile(path));
  const end = bytes.lastIndexOf("\n") + 1;
  if (end < bytes.length) yield* files.truncate(path, end);
  const lines: Array<string> = [];
  // Line by line: the whole of a long journal does not fit into one string.
  for (let start = 0; start < end;) {
    const next = bytes.indexOf("\n", start);
    lines.push(bytes.toString("utf8", start, next));
    start = next + 1;
  }
  return lines;
});

export const openJournal: (
  path: string,
) => Effect.Effect<
  { readonly lines: ReadonlyArray<string>; readonly journal: Journal },
  PlatformError,
  FileSystem.FileSystem | Scope.Scope
> = Effect.fnUntraced(function* (path) {
  const files = yield* FileSystem.FileSystem;
  const lines = yield* readLines(path);
  const file = yield* files.open(path, { flag: "a" });

  const newBatch = () => ({ text: "", done: Deferred.makeUnsafe<void, PlatformError>() });
  let gathering = newBatch();
  let writing: typeof gathering | undefined;
  const work = Latch.makeUnsafe(false);

  const writeOn = Effect.gen(function* () {
    while (true) {
      yield* work.await;
      work.closeUnsafe();
      writing = gathering;
      gathering = newBatch();
      const exit = yield* Effect.exit(file.writeAll(Buffer.from(writing.text)));
      Deferred.doneUnsafe(writing.done, exit);
      // After a failed write nobody knows what the file holds: every later answer fails too.
      if (exit._tag === "Failure") return Deferred.doneUnsafe(gathering.done, exit);
      writing = undefined;
    }
  });

  const journal: Journal = {
    append: (line) => {
      gathering.text += line;
      gathering.text += "\n";
      work.openUnsafe();
    },
    written: Effect.suspend(() => {
      if (gathering.text !== "") return Deferred.await(gathering.done);
      return writing === undefined ? Effect.void : Deferred.await(writing.done);
    }),
  };
  yield* Effect.forkScoped(writeOn);
  // Runs before the writer is stopped: what was appended last still gets into the file.
  yield* Effect.addFinalizer(() => Effect.ignore(journal.written));
  return { lines, journal };
});
