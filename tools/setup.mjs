/**
 * Brings what AegisPay needs into the project's folder: Node 24, pnpm and nats-server into `.tools/`, the locked
 * dependencies into `node_modules/`. Run it as often as you like; when all is there it only looks at a few files.
 *
 * 1. `.tools/remembered.json` names tools that ran once and how their files looked. A changed file, setting or pinned
 *    version means that everything is looked at anew.
 * 2. `node_modules/.aegispay-dependencies` holds the fingerprint of what was installed. It is gone while an
 *    installation runs, so an interrupted one is repeated.
 * 3. Everything that writes happens under the lock in `.tools/lock`.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { capture } from "./child.mjs";
import { withLock } from "./lock.mjs";
import { NATS_SERVER, ensureNatsServer } from "./natsServer.mjs";
import { NPM_TOOLS, ensureNode, ensurePnpm, npmRegistry, runsOnNode24 } from "./npmTools.mjs";
import { ROOT, TOOLS, say, sweepTemporaryFolders, withTemporaryFolder } from "./toolFolder.mjs";

const REMEMBERED = join(TOOLS, "remembered.json");
const INSTALLED = join(ROOT, "node_modules", ".aegispay-dependencies");
const INSTALL_MILLIS = 10 * 60_000;
const PINS = `${NPM_TOOLS} ${NATS_SERVER}`;

/**
 * Absolute paths of the tools, fetched if they are missing: `{ node, pnpm, natsServer }`. With `dependencies: false`
 * `node_modules/` is left alone, as a change of the lock file needs it.
 */
export const ensureTools = async ({ dependencies = true } = {}) => {
  sweepTemporaryFolders();
  const remembered = rememberedTools();
  if (remembered !== undefined && (!dependencies || areDependenciesInstalled())) return remembered;
  const onWait = ({ pids, host }) => say(`waiting for the set-up of process ${pids[0]} on ${host}`);
  return withLock(join(TOOLS, "lock"), { onWait }, async (coOwner) => {
    // Whoever had the lock before us may have brought everything.
    const tools = rememberedTools() ?? (await fetchTools());
    if (dependencies && !areDependenciesInstalled()) await installDependencies(tools, coOwner);
    return tools;
  });
};

const fetchTools = () =>
  withTemporaryFolder(async (temporary) => {
    // All of them to their end, even if one fails: none may still write when the folder goes.
    const results = await Promise.allSettled([
      ensureNode(temporary),
      ensurePnpm(temporary),
      ensureNatsServer(temporary),
    ]);
    const reasons = results.flatMap((result) => (result.status === "rejected" ? [result.reason.message] : []));
    if (reasons.length > 0) throw new Error(reasons.join("\n"));
    const [node, pnpm, natsServer] = results.map((result) => result.value);
    const seen = { pins: PINS, root: ROOT, node: look(node), pnpm: look(pnpm), natsServer: look(natsServer) };
    writeWhole(REMEMBERED, `${JSON.stringify(seen, undefined, 2)}\n`);
    return { node, pnpm, natsServer };
  });

const rememberedTools = () => {
  let seen;
  try {
    seen = JSON.parse(readFileSync(REMEMBERED, "utf8"));
  } catch {
    return undefined;
  }
  const named = process.env.AEGISPAY_NATS_SERVER || undefined;
  // A server that was named once is not used any more when the name is gone.
  const isNatsServerWanted = named === undefined ? seen.natsServer?.named !== true : seen.natsServer?.path === named;
  // In a copy of the project the paths still lead to the original.
  if (seen.pins !== PINS || seen.root !== ROOT || !isNatsServerWanted) return undefined;
  if (!isUnchanged(seen.pnpm) || !isUnchanged(seen.natsServer)) return undefined;
  if (!runsOnNode24 && !isUnchanged(seen.node)) return undefined;
  return {
    node: runsOnNode24 ? process.execPath : seen.node.path,
    pnpm: seen.pnpm.path,
    natsServer: seen.natsServer.path,
  };
};

const look = (path) => {
  const { size, mtimeMs } = statSync(path);
  const named = path === process.env.AEGISPAY_NATS_SERVER && !path.startsWith(TOOLS);
  return { path, size, mtimeMs, named };
};

const isUnchanged = (seen) => {
  const now = statSync(seen.path, { throwIfNoEntry: false });
  return now !== undefined && now.size === seen.size && now.mtimeMs === seen.mtimeMs;
};

const packageFolders = () =>
  readdirSync(join(ROOT, "packages"))
    .map((name) => join(ROOT, "packages", name))
    .filter((folder) => existsSync(join(folder, "package.json")));

const dependenciesFingerprint = () => {
  const hash = createHash("sha256").update(PINS);
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"].map((name) => join(ROOT, name));
  for (const file of [...files, ...packageFolders().map((folder) => join(folder, "package.json"))]) {
    hash.update(`\n${file.slice(ROOT.length)}\n`).update(existsSync(file) ? readFileSync(file) : "");
  }
  return hash.digest("hex");
};

const areDependenciesInstalled = () => {
  if (!existsSync(INSTALLED) || readFileSync(INSTALLED, "utf8") !== dependenciesFingerprint()) return false;
  // The fingerprint does not know that somebody deleted one package's own folder.
  return packageFolders().every((folder) => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const needsSome = dependencies !== undefined || devDependencies !== undefined;
    return !needsSome || existsSync(join(folder, "node_modules"));
  });
};

const installDependencies = async ({ node, pnpm }, coOwner) => {
  say("installing the dependencies");
  rmSync(INSTALLED, { force: true });
  const before = dependenciesFingerprint();
  const hasLockFile = existsSync(join(ROOT, "pnpm-lock.yaml"));
  const registry = await npmRegistry(ROOT);
  const frozen = hasLockFile || process.env.CI !== undefined;
  try {
    await capture(
      pnpm,
      [
        "install",
        frozen ? "--frozen-lockfile" : "--no-frozen-lockfile",
        // Tests and type checks need the development dependencies, whatever NODE_ENV says.
        "--prod=false",
        // Nobody can answer a question here.
        "--config.confirmModulesPurge=false",
        "--reporter=append-only",
        ...(registry === undefined ? [] : [`--registry=${registry}`]),
      ],
      {
        cwd: ROOT,
        env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` },
        timeoutMillis: INSTALL_MILLIS,
        lastLines: 20,
        onSpawn: coOwner,
      },
    );
  } catch (error) {
    const advice = /OUTDATED_LOCKFILE|specifiers in the lockfile/.test(error.message)
      ? "bring pnpm-lock.yaml up to date with: node tools/run.mjs exec pnpm install"
      : "check that the package registry is reachable (npm ping) and start again";
    throw new Error(`cannot install the dependencies: ${advice}.\n${error.message}`, { cause: error });
  }
  // What was changed meanwhile was not installed; only the lock file may be the installation's own work.
  writeWhole(INSTALLED, hasLockFile ? before : dependenciesFingerprint());
};

/** Whole or not at all: a reader takes what stands there for true. */
const writeWhole = (file, text) => {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  try {
    const { node, pnpm, natsServer } = await ensureTools();
    process.stdout.write(`node        ${node}\npnpm        ${pnpm}\nnats-server ${natsServer}\n`);
  } catch (error) {
    say(error.message);
    process.exitCode = 1;
  }
}
