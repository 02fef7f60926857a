import { makeAcquirer } from "@aegispay/gateways/simulator/Acquirer";
import { makeFaults } from "@aegispay/gateways/simulator/Faults";
import { openJournal } from "@aegispay/gateways/simulator/Journal";
import { repliesFrom } from "@aegispay/gateways/simulator/Reply";
import { Ledger } from "@aegispay/gateways/simulator/Ledger";
import { describe, expect, it } from "@effect/vitest";
import { Deferred, Effect, Fiber, FileSystem } from "effect";
import { systemError } from "effect/PlatformError";

const diskFull = systemError({ _tag: "Unknown", module: "FileSystem", method: "writeAll", description: "disk full" });

/** A file whose writes end when, and as, the test says. */
const heldFile = Effect.sync(() => {
  const writes: Array<{ readonly text: string; readonly done: Deferred.Deferred<void, typeof diskFull> }> = [];
  const file = {
    writeAll: (bytes: Uint8Array) => {
      const done = Deferred.makeUnsafe<void, typeof diskFull>();
      writes.push({ text: Buffer.from(bytes).toString(), done });
      return Deferred.await(done);
    },
  };
  const open = openJournal("journal").pipe(
    Effect.provideService(
      FileSystem.FileSystem,
      FileSystem.makeNoop({
        exists: () => Effect.succeed(false),
        open: () => Effect.succeed(file as unknown as FileSystem.File),
      }),
    ),
    Effect.map(({ journal }) => journal),
  );
  return { open, writes };
});

describe("the journal", () => {
  it.effect("gathers what is appended during a write into the next one", () =>
    Effect.gen(function* () {
      const { open, writes } = yield* heldFile;
      const journal = yield* open;
      journal.append("1");
      const first = yield* Effect.forkChild(journal.written, { startImmediately: true });
      yield* Effect.yieldNow;
      journal.append("2");
      journal.append("3");
      const second = yield* Effect.forkChild(journal.written, { startImmediately: true });
      yield* Deferred.succeed(writes[0]!.done, undefined);
      yield* Fiber.join(first);
      expect(writes.map(({ text }) => text)).toEqual(["1\n", "2\n3\n"]);
      expect(second.pollUnsafe()).toBe(undefined);
      yield* Deferred.succeed(writes[1]!.done, undefined);
      yield* Fiber.join(second);
      yield* journal.written;
    }),
  );

  it.effect("fails all that wait, and all that come later, once a write has failed", () =>
    Effect.gen(function* () {
      const { open, writes } = yield* heldFile;
      const journal = yield* open;
      journal.append("1");
      const waiting = yield* Effect.forkChild(Effect.flip(journal.written), { startImmediately: true });
      yield* Effect.yieldNow;
      yield* Deferred.fail(writes[0]!.done, diskFull);
      expect(yield* Fiber.join(waiting)).toBe(diskFull);
      journal.append("2");
      expect(yield* Effect.flip(journal.written)).toBe(diskFull);
    }),
  );
});

describe("an answer of the simulator", () => {
  it.effect("does not leave before the ledger is written, whether first, repeat or look-up", () =>
    Effect.gen(function* () {
      const ledger = new Ledger();
      const onDisk = yield* Deferred.make<void>();
      const books = { ledger, record: ledger.apply.bind(ledger), written: Deferred.await(onDisk) };
      const acquirer = makeAcquirer({
        books,
        slowAnswerMillis: 0,
        scope: yield* Effect.scope,
        replies: repliesFrom("http://simulator"),
      });
      const fate = makeFaults().throwDice("charge");
      const request = { reference: "shop/order-1", amount: 1999, currency: "USD", token: "tok_visa" };
      const answers = yield* Effect.forEach(
        [
          acquirer.charge("key-1", request, fate),
          acquirer.charge("key-1", request, fate),
          acquirer.operate("ch_none", { key: "key-2", kind: "refund" }, fate),
          acquirer.lookUp(() => ({ status: 200, document: {} }), fate),
        ],
        (answer) => Effect.forkChild(answer, { startImmediately: true }),
      );
      yield* Effect.yieldNow;
      expect(answers.map((answer) => answer.pollUnsafe())).toEqual(answers.map(() => undefined));
      yield* Deferred.succeed(onDisk, undefined);
      const replies = yield* Effect.forEach(answers, Fiber.join);
      expect(replies.map((reply) => "status" in reply && reply.status)).toEqual([200, 200, 404, 200]);
    }),
  );
});
