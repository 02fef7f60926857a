/**
 * Brings what `aegispay bench --peers` measures the runtime beside into `.tools/peers`: the programs as they are in the
 * sources, and the packages that they import, which the workspace does not have. Says on stdout, as JSON, which folder
 * it is, or the reason why there is none.
 *
 * 1. `.tools/peers/installed` holds the fingerprint of what was installed. It is gone while an installation runs, so an
 *    interrupted one is repeated.
 * 2. The programs are copied every time: they are small, and never older than the sources.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, sep } from "node:path";
import { capture } from "./child.mjs";
import { withLock } from "./lock.mjs";
import { npmRegistry } from "./npmTools.mjs";
import { ensureTools } from "./setup.mjs";
import { ROOT, TOOLS, say } from "./toolFolder.mjs";

const SOURCES = join(ROOT, "packages", "runtime", "src", "bench", "peers", "programs");
const PEERS = join(TOOLS, "peers");
const INSTALLED = join(PEERS, "installed");
const MANIFEST = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"];
const INSTALL_MILLIS = 10 * 60_000;

const ensurePeers = async () => {
  const tools = await ensureTools({ dependencies: false });
  const onWait = ({ pids, host }) => say(`waiting for process ${pids[0]} on ${host}, which installs the peers`);
  await withLock(join(TOOLS, "lock"), { onWait }, async (coOwner) => {
    mkdirSync(PEERS, { recursive: true });
    for (const name of readdirSync(SOURCES)) copyFileSync(join(SOURCES, name), join(PEERS, name));
    const fingerprint = fingerprintOf(MANIFEST);
    if (existsSync(INSTALLED) && readFileSync(INSTALLED, "utf8") === fingerprint) return;
    rmSync(INSTALLED, { force: true });
    say("installing the peers, about 110 MB to fetch");
    await install(tools, coOwner);
    writeFileSync(INSTALLED, fingerprint);
  });
  return PEERS;
};

const fingerprintOf = (names) => {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}`);
  for (const name of names) hash.update(`\n${name}\n`).update(readFileSync(join(SOURCES, name)));
  return hash.digest("hex");
};

const install = async ({ node, pnpm }, coOwner) => {
  const registry = await npmRegistry(PEERS);
  const options = ["--frozen-lockfile", "--prod", "--config.confirmModulesPurge=false", "--reporter=append-only"];
  await capture(pnpm, ["install", ...options, ...(registry === undefined ? [] : [`--registry=${registry}`])], {
    cwd: PEERS,
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` },
    timeoutMillis: INSTALL_MILLIS,
    onSpawn: coOwner,
  });
};

/** For a report: without pnpm's tree of causes, and without where the project lies. */
const inOneLine = (message) =>
  message
    .replaceAll(`${ROOT}${sep}`, "")
    .split("\n")
    .map((line) => line.replace(/^[\s×├└│╰─▶]+/, ""))
    .join(" ");

const answer = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);

try {
  answer({ folder: await ensurePeers() });
} catch (error) {
  say(error.message);
  answer({ reason: `its packages cannot be installed: ${inOneLine(error.message)}` });
}
