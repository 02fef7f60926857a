/** A module of hooks, from its file: what its default export must be, and what is wrong with one that is not. */
import type { HooksConfig } from "@aegispay/gateways/configuration/hooksConfig";
import { Data, Effect, Option } from "effect";
import { pathToFileURL } from "node:url";
import { hookNames, type Hooks } from "./Hooks.ts";

export class HooksInvalid extends Data.TaggedError("HooksInvalid")<{ readonly message: string }> {}

/** A module may do things when it is loaded; one that has not ended after this, in milliseconds, hangs. */
const loadMillis = 10_000;

const isKnown = (name: string): boolean => (hookNames as ReadonlyArray<string>).includes(name);

/** What keeps a value from being hooks. */
const whatIsWrong = (hooks: unknown): string | undefined => {
  if (typeof hooks !== "object" || hooks === null) return "its default export is no object of hooks";
  const names = Object.keys(hooks);
  const unknown = names.find((name) => !isKnown(name));
  if (unknown !== undefined)
    return `its default export has ${JSON.stringify(unknown)}; hooks are ${hookNames.join(", ")}`;
  const wrong = names.find((name) => typeof (hooks as Record<string, unknown>)[name] !== "function");
  if (wrong !== undefined) return `its ${wrong} is no function`;
  return names.length === 0 ? `its default export has no hook; hooks are ${hookNames.join(", ")}` : undefined;
};

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!;

/** `file` is absolute. Node keeps what it has loaded: a module that has changed is seen by new processes only. */
export const loadHooks = (file: string): Effect.Effect<Hooks, HooksInvalid> =>
  Effect.gen(function* () {
    const refuse = (why: string) => new HooksInvalid({ message: `the hooks in ${file} cannot be used: ${why}` });
    const loaded = yield* Effect.tryPromise({
      try: () => import(pathToFileURL(file).href) as Promise<{ readonly default?: unknown }>,
      catch: (cause) => {
        const { code } = cause as NodeJS.ErrnoException;
        return refuse(code === "ERR_MODULE_NOT_FOUND" ? messageOf(cause) : `loading it fails: ${messageOf(cause)}`);
      },
    }).pipe(Effect.timeoutOption(loadMillis));
    if (Option.isNone(loaded)) return yield* refuse(`loading it takes more than ${loadMillis} ms`);
    const hooks = loaded.value.default;
    const wrong = whatIsWrong(hooks);
    return wrong === undefined ? (hooks as Hooks) : yield* refuse(wrong);
  });

interface HooksProblem {
  /** Within the section `hooks`. */
  readonly field: ReadonlyArray<string>;
  readonly message: string;
}

/** What is wrong with a section `hooks` that only a look at its module shows. */
export const hooksProblems = (config: HooksConfig): Effect.Effect<ReadonlyArray<HooksProblem>> =>
  Effect.match(loadHooks(config.module), {
    onFailure: ({ message }) => [{ field: ["module"], message }],
    onSuccess: (hooks) =>
      hookNames
        .filter((name) => config[name] !== undefined && hooks[name] === undefined)
        .map((name) => ({ field: [name], message: `${config.module} has no hook of this name` })),
  });
