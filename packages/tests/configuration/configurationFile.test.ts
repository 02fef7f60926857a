/** The configuration's file on disk: what is not there, not readable, or not finished yet. */
import { fingerprintOf, loadConfiguration } from "@aegispay/runtime/config/configurationFile";
import { watchConfiguration } from "@aegispay/runtime/config/watchConfiguration";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Fiber, References, Result } from "effect";
import { mkdirSync, rmSync, writeFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory } from "../gateways/simulatorHarness.ts";
import { eventually } from "../support/eventually.ts";

const entry = (name: string) => `  - { name: ${name}, type: simulator, url: "http://127.0.0.1:1" }\n`;

const complaint = (file: string) =>
  Effect.map(Effect.result(loadConfiguration(file)), (loaded) =>
    Result.isFailure(loaded) ? loaded.failure.message : "",
  );

describe("the configuration's file", () => {
  it.live("that cannot be read is named, with the reason", () =>
    Effect.gen(function* () {
      const folder = yield* scratchDirectory;
      const path = (name: string) => join(folder, name);
      mkdirSync(path("folder"));
      writeFileSync(path("large"), Buffer.alloc(10_000_000, " "));
      writeFileSync(path("binary"), Buffer.from([0x67, 0xff, 0xfe]));
      for (const [name, reason] of [
        ["missing", "there is no such file"],
        ["folder", "it is a folder, not a file"],
        ["large", "it has 10000000 bytes, at most 4000000 are read"],
        ["binary", "it is no text in UTF-8"],
      ] as const) {
        expect(yield* complaint(path(name))).toBe(`${path(name)}: ${reason} (AEGISPAY_GATEWAYS, --gateways)`);
      }
    }),
  );

  it.live("that is more than a worker can be given is refused, and one with hundreds of gateways is not", () =>
    Effect.gen(function* () {
      const file = join(yield* scratchDirectory, "gateways.yaml");
      const many = (count: number) => Array.from({ length: count }, (_, index) => entry(`gateway-${index}`)).join("");
      writeFileSync(file, `gateways:\n${many(500)}`);
      expect(yield* complaint(file)).toBe("");
      writeFileSync(file, `gateways:\n${many(2_000)}`);
      expect(yield* complaint(file)).toMatch(
        /gateways\.yaml:1:1: it is \d+ bytes as JSON, at most 100000 can be used$/,
      );
    }),
  );

  it.live("gives the module of hooks by its own folder, wherever the process runs", () =>
    Effect.gen(function* () {
      const folder = yield* scratchDirectory;
      writeFileSync(join(folder, "hooks.mjs"), "export default { onEvent: () => undefined };");
      writeFileSync(join(folder, "gateways.yaml"), `gateways:\n${entry("a")}hooks: { module: hooks.mjs }\n`);
      const { hooks } = yield* loadConfiguration(join(folder, "gateways.yaml"));
      expect(hooks).toEqual({ module: join(folder, "hooks.mjs") });
    }),
  );

  it.live(
    "is not read while it is being written, away for a moment changes nothing, and what is whole comes into force",
    () =>
      Effect.gen(function* () {
        const folder = yield* scratchDirectory;
        const file = join(folder, "gateways.yaml");
        writeFileSync(file, `gateways:\n${entry("a")}${entry("b")}`);
        const fingerprint = yield* fingerprintOf(file);
        const first = yield* loadConfiguration(file);
        const changes: Array<ReadonlyArray<string>> = [];
        const results: Array<string> = [];
        const watch = yield* Effect.forkChild(
          watchConfiguration({
            file,
            first,
            fingerprint,
            onChange: ({ gateways }) => Effect.sync(() => void changes.push(gateways.map(({ name }) => name))),
            onResult: (result) => void results.push(result),
          }).pipe(Effect.provideService(References.MinimumLogLevel, "None")),
        );
        // Each piece makes a whole list: what stands there is right at every moment, and never what is meant.
        const names = Array.from({ length: 12 }, (_, index) => `gateway-${index}`);
        for (let count = 1; count <= names.length; count++) {
          writeFileSync(file, `gateways:\n${names.slice(0, count).map(entry).join("")}`);
          yield* Effect.sleep(100);
        }
        yield* Effect.promise(() => eventually("the whole file is in force", () => changes.length > 0));
        expect(changes).toEqual([names]);
        rmSync(file);
        yield* Effect.promise(() => eventually("that it is away is noticed", () => results.includes("refused")));
        writeFileSync(file, `gateways:\n${entry("back")}`);
        yield* Effect.promise(() => eventually("it is back", () => changes.length === 2));
        expect(changes[1]).toEqual(["back"]);
        yield* Fiber.interrupt(watch);
      }),
  );

  it.live(
    "that is swapped by a link, with a mark and line ends of another system, is followed, also after one that could not be used",
    () =>
      Effect.gen(function* () {
        const folder = yield* scratchDirectory;
        const [file, target] = [join(folder, "gateways.yaml"), (name: string) => join(folder, `${name}.yaml`)];
        const swapTo = (name: string): void => {
          writeFileSync(target(name), `\ufeffgateways:\n${entry(name)}`.replaceAll("\n", "\r\n"));
          symlinkSync(target(name), `${file}.new`);
          renameSync(`${file}.new`, file);
        };
        swapTo("a");
        const fingerprint = yield* fingerprintOf(file);
        const first = yield* loadConfiguration(file);
        const results: Array<string> = [];
        const used: Array<string> = [];
        const onChange = ({ gateways: [{ name }] }: typeof first) =>
          name === "b" ? Effect.die("no place left") : Effect.sync(() => void used.push(name));
        const watch = yield* Effect.forkChild(
          watchConfiguration({
            file,
            first,
            fingerprint,
            onChange,
            onResult: (result) => void results.push(result),
          }).pipe(Effect.provideService(References.MinimumLogLevel, "None")),
        );
        for (const [name, result] of [
          ["b", "refused"],
          ["c", "applied"],
        ] as const) {
          swapTo(name);
          yield* Effect.promise(() => eventually(`${name} is ${result}`, () => results.at(-1) === result));
        }
        expect(used).toEqual(["c"]);
        yield* Fiber.interrupt(watch);
      }),
  );
});
