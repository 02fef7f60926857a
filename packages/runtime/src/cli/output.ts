/** What the command line prints: progress to stderr, results to stdout, and the exit code that goes with an error. */
import { Data, Effect, Runtime } from "effect";

/** 1: refused or failed; 2: wrong usage; 3: NATS cannot be reached; 130: interrupted before it was done. */
export const exitCodes = { failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

/** The thing asked for was refused or failed; the message says what to do. */
export class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = exitCodes.failed;
}

/** The result has been printed already, and it is no success. */
export class FailedQuietly extends Data.TaggedError("FailedQuietly")<{}> {
  override readonly [Runtime.errorExitCode] = exitCodes.failed;
}

/** Wrong usage that only a look at the value shows. */
export class WrongUsage extends Data.TaggedError("WrongUsage")<{ readonly message: string }> {
  override readonly [Runtime.errorExitCode] = exitCodes.usage;
}

let toldToEnd = false;

/** Whether the command had come to where it only waits to be told to end: then ending is success. */
export const endsWell = (): boolean => toldToEnd;

/** For a service: goes on until SIGINT or SIGTERM, and ending is then no failure. */
export const runUntilTold: Effect.Effect<never> = Effect.andThen(
  Effect.sync(() => void (toldToEnd = true)),
  Effect.never,
);

/** What strangers have sent may be shown, and a terminal obeys control characters: all but colours are written out, as in JSON. */
export const visible = (text: string): string =>
  text.replaceAll(
    // oxlint-disable-next-line no-control-regex
    /(?!\u001b\[[\d;]{0,16}m)[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

export const printResult = (text: string): Effect.Effect<void> =>
  Effect.sync(() => void process.stdout.write(`${visible(text)}\n`));

export const printJson = (document: unknown): Effect.Effect<void> => printResult(JSON.stringify(document));

export const printProgress = (text: string): Effect.Effect<void> =>
  Effect.sync(() => void process.stderr.write(`${text}\n`));

const coloured = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true && process.env["NO_COLOR"] === undefined;

const escape = (code: number) => (text: string, stream: NodeJS.WriteStream) =>
  coloured(stream) ? `\u001b[${code}m${text}\u001b[0m` : text;

export const colour = { red: escape(31), green: escape(32), yellow: escape(33), dim: escape(2), bold: escape(1) };

/** Columns padded to their widest cell. */
export const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
};
