/**
 * The configuration's file, from disk to what a node works with, or to sentences that name file, line and field. A file
 * whose secrets or hooks are not there is wrong as a whole: nothing of it comes into force.
 */
import { formatProblems, textMax, type ConfigurationProblem } from "@aegispay/gateways/configuration/ConfigurationText";
import { readConfiguration, secretsMissing } from "@aegispay/gateways/configuration/readConfiguration";
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Data, Effect, Result } from "effect";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { hooksProblems } from "../hooks/loadHooks.ts";

/** Bytes: a character is at most four of them. */
const bytesMax = 4 * textMax;

/** Bytes as JSON: it goes to workers in a variable of their environment, of which Linux takes 128 KiB. */
const configBytesMax = 100_000;

export class ConfigurationInvalid extends Data.TaggedError("ConfigurationInvalid")<{
  /** One line for each thing that is wrong. */
  readonly message: string;
}> {}

/** What tells one state of the file from another. */
export const fingerprintOf = (file: string): Effect.Effect<string> =>
  Effect.promise(() =>
    stat(file).then(
      ({ mtimeMs, ctimeMs, size, ino }) => [mtimeMs, ctimeMs, size, ino].join("/"),
      (error: NodeJS.ErrnoException) => error.code ?? "away",
    ),
  );

const whyNot: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder, not a file",
  EACCES: "this user may not read it",
};

const readText = (file: string): Effect.Effect<string, ConfigurationInvalid> =>
  Effect.tryPromise({
    try: async () => {
      const found = await stat(file);
      if (found.isDirectory()) throw new Error(whyNot["EISDIR"]);
      if (!found.isFile()) throw new Error("it is no plain file");
      if (found.size > bytesMax) throw new Error(`it has ${found.size} bytes, at most ${bytesMax} are read`);
      return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
    },
    catch: (cause) => {
      const { code = "", message } = cause as NodeJS.ErrnoException;
      const why = code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is no text in UTF-8" : (whyNot[code] ?? message);
      return new ConfigurationInvalid({ message: `${file}: ${why} (AEGISPAY_GATEWAYS, --gateways)` });
    },
  });

/** The configuration in a file, with paths that hold in any folder. */
export const loadConfiguration = (file: string): Effect.Effect<GatewaysConfig, ConfigurationInvalid> =>
  Effect.gen(function* () {
    const refuse = (problems: ReadonlyArray<ConfigurationProblem>) =>
      new ConfigurationInvalid({ message: formatProblems(file, problems) });
    const read = readConfiguration(yield* readText(file));
    if (Result.isFailure(read)) return yield* refuse(read.failure);
    const { config, problemAt } = read.success;
    const hooks =
      config.hooks === undefined
        ? undefined
        : { ...config.hooks, module: resolve(dirname(resolve(file)), config.hooks.module) };
    const problems = [
      ...(yield* secretsMissing(read.success)),
      ...(hooks === undefined
        ? []
        : (yield* hooksProblems(hooks)).map(({ field, message }) => problemAt(["hooks", ...field], message))),
    ];
    const configBytes = Buffer.byteLength(JSON.stringify(config));
    if (configBytes > configBytesMax) {
      problems.push(problemAt([], `it is ${configBytes} bytes as JSON, at most ${configBytesMax} can be used`));
    }
    if (problems.length > 0) return yield* refuse(problems);
    return hooks === undefined ? config : { ...config, hooks };
  });
