/**
 * A PostgreSQL on an empty disk, for a peer that keeps its log in one: as it comes, so with `fsync` and
 * `synchronous_commit` on. It refuses to run as root, so then it runs as nobody.
 */
import { Effect } from "effect";
import { execFile } from "node:child_process";
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { claimPort } from "../../supervisor/NatsServerProcess.ts";
import type { PostgresFound } from "./findServers.ts";
import { PeerUnavailable } from "./Peer.ts";
import { acceptsConnections, becomesReady, startServer } from "./ServerProcess.ts";

const nobody = { uid: 65_534, gid: 65_534 };
const whom = () => (process.getuid?.() === 0 ? nobody : undefined);

const initdbMillis = 60_000;
const owner = "aegispay";

interface Link {
  readonly source: string;
  readonly target: string;
}

/** Answers its folder of binaries. The links are those that the package's install script makes. */
const copyPackage = (packaged: string, folder: string): string => {
  cpSync(join(packaged, "native"), join(folder, "native"), { recursive: true });
  const listed = join(folder, "native", "pg-symlinks.json");
  const links = existsSync(listed) ? (JSON.parse(readFileSync(listed, "utf8")) as ReadonlyArray<Link>) : [];
  for (const { source, target } of links) {
    if (dirname(source) !== dirname(target)) throw new Error(`${target} leads out of its folder`);
    if (!existsSync(join(folder, target))) symlinkSync(basename(source), join(folder, target));
  }
  return join(folder, "native", "bin");
};

const initialize = (binaries: string, data: string) =>
  Effect.callback<void, PeerUnavailable>((resume) => {
    const args = ["--pgdata", data, "--username", owner, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"];
    const child = execFile(
      join(binaries, "initdb"),
      args,
      { cwd: dirname(data), timeout: initdbMillis, ...whom() },
      (error, _stdout, stderr) =>
        resume(
          error === null
            ? Effect.void
            : Effect.fail(new PeerUnavailable({ message: `PostgreSQL's initdb failed: ${stderr || error.message}` })),
        ),
    );
    return Effect.sync(() => void child.kill());
  });

export const startPostgres = Effect.fnUntraced(function* (found: PostgresFound, folder: string) {
  const home = join(folder, "postgres");
  const user = whom();
  const binaries = yield* Effect.try({
    try: () => {
      mkdirSync(home);
      // The folder above is closed to others otherwise.
      if (user !== undefined) for (const path of [folder, home]) chownSync(path, user.uid, user.gid);
      return found._tag === "Package" ? copyPackage(found.folder, home) : found.binaries;
    },
    catch: (cause) => new PeerUnavailable({ message: `PostgreSQL cannot be unpacked: ${String(cause)}` }),
  });
  const data = join(home, "data");
  yield* initialize(binaries, data);
  const port = yield* claimPort(0, "").pipe(
    Effect.mapError(({ message }) => new PeerUnavailable({ message: `no port for PostgreSQL: ${message}` })),
  );
  const failed = yield* startServer({
    title: "PostgreSQL",
    command: join(binaries, "postgres"),
    args: ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    cwd: home,
    logFile: join(folder, "postgres.log"),
    ...(user === undefined ? {} : { user }),
  });
  yield* becomesReady("PostgreSQL", acceptsConnections(port), failed);
  return { url: `postgres://${owner}@127.0.0.1:${port}/postgres`, failed };
});
