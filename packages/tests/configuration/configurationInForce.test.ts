/** What a process works with when its configuration is replaced: gateways and hooks in one moment, and nobody is left out unsaid. */
import { Gateways } from "@aegispay/gateways/Gateway";
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { layerConfiguration } from "@aegispay/runtime/config/ConfigurationInForce";
import { HooksInForce } from "@aegispay/runtime/hooks/HooksInForce";
import { describe, expect, it } from "@effect/vitest";
import { Context, Effect, Layer, Logger, Queue } from "effect";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const withHooks = (name: string, module?: string): GatewaysConfig => ({
  gateways: [{ name, type: "simulator", url: "http://127.0.0.1:1" }],
  ...(module === undefined ? {} : { hooks: { module } }),
});

/** A module of hooks with these names. */
const moduleOf = (folder: string, ...hooks: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const file = join(folder, `${hooks.join("-")}.mjs`);
    await writeFile(
      file,
      `export default { ${hooks.map((hook) => `${hook}: () => ({ verdict: "allow" })`).join(", ")} };`,
    );
    return file;
  });

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "aegispay-in-force-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true })),
);

const started = Effect.fnUntraced(function* (first: GatewaysConfig) {
  const said: Array<string> = [];
  const changes = yield* Queue.unbounded<GatewaysConfig>();
  const logger = Logger.layer([
    Logger.make(({ message, logLevel }) => void said.push(`${logLevel}: ${String(message)}`)),
  ]);
  const services = yield* Layer.build(Layer.provide(layerConfiguration(first, changes), logger));
  const gateways = Context.get(services, Gateways);
  const hooks = Context.get(services, HooksInForce);
  /** Sends another, and answers what hooks there were in the very moment in which its gateway was there. */
  const changeTo = Effect.fnUntraced(function* (next: GatewaysConfig) {
    yield* Queue.offer(changes, next);
    while (gateways.candidates[0]?.gateway !== next.gateways[0].name) yield* Effect.yieldNow;
    return Object.keys(hooks.current()?.hooks ?? {});
  });
  return { said, changeTo };
});

describe("a configuration that comes into force", () => {
  it.live("brings its gateways and its hooks in one moment, and says which hooks are gone and which are new", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder;
      const both = yield* moduleOf(folder, "fraudCheck", "validate");
      const { said, changeTo } = yield* started(withHooks("a"));
      expect(yield* changeTo(withHooks("b", both))).toEqual(["fraudCheck", "validate"]);
      expect(yield* changeTo(withHooks("c", yield* moduleOf(folder, "validate")))).toEqual(["validate"]);
      expect(yield* changeTo(withHooks("d"))).toEqual([]);
      yield* Effect.sleep(20);
      expect(said).toEqual([
        "Info: hooks that are asked or told from now on: validate, fraudCheck",
        "Warn: the configuration has no such hooks any more, they are asked nothing from now on: fraudCheck",
        "Warn: the configuration has no such hooks any more, they are asked nothing from now on: validate",
      ]);
    }),
  );
});
