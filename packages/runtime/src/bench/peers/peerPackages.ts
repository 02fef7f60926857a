/** The peers' packages, which are no dependencies of the workspace: installed into `.tools/peers` on first use. */
import { Effect } from "effect";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PeerUnavailable } from "./Peer.ts";

export interface PeerPackages {
  /** Holds the programs and their `node_modules`. */
  readonly folder: string;
  /** By package. */
  readonly versions: Readonly<Record<string, string>>;
}

const installer = fileURLToPath(new URL("../../../../../tools/peers.mjs", import.meta.url));

/** What the installer said; its progress goes to stderr by itself. */
const runInstaller = Effect.callback<string, PeerUnavailable>((resume) => {
  const child = spawn(process.execPath, [installer], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.once("error", (error) => resume(Effect.fail(new PeerUnavailable({ message: error.message }))));
  child.once("close", (code, signal) =>
    resume(
      code === 0
        ? Effect.succeed(said)
        : Effect.fail(new PeerUnavailable({ message: `its installation ended with ${signal ?? code}` })),
    ),
  );
  return Effect.sync(() => void child.kill());
});

type Said = { readonly folder: string } | { readonly reason: string };

export const installPeers = Effect.gen(function* () {
  const said = JSON.parse(yield* runInstaller) as Said;
  if ("reason" in said) return yield* new PeerUnavailable({ message: said.reason });
  return readPeerPackages(said.folder);
});

export const readPeerPackages = (folder: string): PeerPackages => {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly dependencies?: Record<string, string>;
    readonly optionalDependencies?: Record<string, string>;
  };
  return { folder, versions: { ...manifest.optionalDependencies, ...manifest.dependencies } };
};
