/**
 * Reads the body of a request byte for byte, and no more of it than is allowed: what is too large is left to Node, which throws
 * it away as it comes, and what trickles is cut off. All bodies together are bounded too.
 */
import type { IncomingMessage } from "node:http";
import { Effect } from "effect";

export interface BodyLimits {
  readonly maxBytes: number;
  /** From the end of the headers to the end of the body, in milliseconds. */
  readonly withinMillis: number;
  /** Bytes of all bodies that are being read or worked on. */
  readonly allBytes: number;
}

export type RawBody =
  | { readonly _tag: "Read"; readonly bytes: Uint8Array }
  | { readonly _tag: "TooLarge" }
  | { readonly _tag: "TooSlow" }
  | { readonly _tag: "Busy" }
  /** Whoever sent it has gone. */
  | { readonly _tag: "Gone" };

/** Chunks below this are gathered: one of a byte, kept as it comes, takes some hundred bytes of memory. */
const smallBytes = 512;
/** What small ones are gathered in, in bytes. */
const blockBytes = 4_096;

/** What has come so far, in pieces that are not much more than what they hold. */
const makeGathered = () => {
  const pieces: Array<Buffer> = [];
  let block = Buffer.alloc(0);
  let from = 0;
  let used = 0;
  const endPiece = (): void => {
    if (used > from) pieces.push(block.subarray(from, used));
    from = used;
  };
  return {
    add: (chunk: Buffer): void => {
      if (chunk.length >= smallBytes) {
        endPiece();
        return void pieces.push(chunk);
      }
      if (used + chunk.length > block.length) {
        endPiece();
        block = Buffer.alloc(blockBytes);
        from = used = 0;
      }
      used += chunk.copy(block, used);
    },
    bytes: (): Uint8Array => {
      endPiece();
      return Buffer.concat(pieces);
    },
  };
};

export const makeBodyReader = ({ maxBytes, withinMillis, allBytes }: BodyLimits) => {
  let heldBytes = 0;

  const read = (incoming: IncomingMessage, take: (bytes: number) => boolean): Effect.Effect<RawBody> =>
    Effect.callback((resume) => {
      if (Number(incoming.headers["content-length"] ?? 0) > maxBytes)
        return resume(Effect.succeed({ _tag: "TooLarge" }));
      const gathered = makeGathered();
      let size = 0;
      const end = (body: RawBody): void => {
        clearTimeout(timer);
        incoming.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
        // Reset connections report errors after this too.
        incoming.on("error", () => undefined);
        resume(Effect.succeed(body));
      };
      const timer = setTimeout(() => end({ _tag: "TooSlow" }), withinMillis);
      const onData = (chunk: Buffer): void => {
        size += chunk.length;
        if (size > maxBytes) return end({ _tag: "TooLarge" });
        if (!take(chunk.length)) return end({ _tag: "Busy" });
        gathered.add(chunk);
      };
      const onEnd = (): void => end({ _tag: "Read", bytes: gathered.bytes() });
      const onGone = (): void => end({ _tag: "Gone" });
      incoming.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
      return Effect.sync(() => clearTimeout(timer));
    });

  /** The bytes are held until what is done with them has ended. */
  return <A, E, R>(incoming: IncomingMessage, use: (body: RawBody) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      let mine = 0;
      const take = (bytes: number): boolean => {
        if (heldBytes + bytes > allBytes) return false;
        heldBytes += bytes;
        mine += bytes;
        return true;
      };
      const giveBack = Effect.sync(() => void (heldBytes -= mine));
      return Effect.ensuring(Effect.flatMap(read(incoming, take), use), giveBack);
    });
};
