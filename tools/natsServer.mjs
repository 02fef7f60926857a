import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { debianNatsServer } from "./debianPackage.mjs";
import { fileFromTarball } from "./tarball.mjs";
import { installTool, say, TOOLS, versionOf, workingTool } from "./toolFolder.mjs";

const MINIMUM = "2.15.0";
const RELEASE = "2.15.1";
const RELEASES_URL = process.env.AEGISPAY_RELEASES_URL ?? "https://github.com/nats-io/nats-server/releases/download";
/** A machine without a way out should learn so quickly; a slow line only has to keep moving. */
const ANSWER_MILLIS = 8_000;
const STALL_MILLIS = 10_000;

export const NATS_SERVER = `nats-server>=${MINIMUM}`;

/** The first nats-server that will do; each way that fails says why, and the next is tried. */
export const ensureNatsServer = async (temporary) => {
  const ways = [
    ["AEGISPAY_NATS_SERVER", named],
    ["PATH", onPath],
    [".tools", fetchedBefore],
    [`release ${RELEASE}`, released],
    ["Debian's archive", packaged],
  ];
  for (const [title, find] of ways) {
    try {
      const path = await find(temporary);
      if (path !== undefined) return path;
    } catch (error) {
      say(`nats-server from ${title}: ${error.message.replaceAll("\n", " ")}`);
    }
  }
  throw new Error(
    `no nats-server: install version ${MINIMUM} or newer, put it on PATH or name it in AEGISPAY_NATS_SERVER, and start again`,
  );
};

const named = async () => {
  const path = process.env.AEGISPAY_NATS_SERVER;
  if (path === undefined || path === "") return undefined;
  accept(await versionOf(path));
  return path;
};

const onPath = async () => {
  const path = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, "nats-server"))
    .find(isExecutable);
  if (path === undefined) return undefined;
  accept(await versionOf(path));
  return path;
};

const fetchedBefore = async (temporary) => {
  const names = existsSync(TOOLS) ? readdirSync(TOOLS).filter((name) => name.startsWith("nats-server-")) : [];
  for (const name of names) {
    if (isOlder(name.slice("nats-server-".length), MINIMUM)) continue;
    const path = await workingTool(name, "nats-server", temporary);
    if (path !== undefined) return path;
  }
  return undefined;
};

const released = async (temporary) => {
  say(`fetching nats-server ${RELEASE}`);
  const architecture = { x64: "amd64", arm: "arm7" }[process.arch] ?? process.arch;
  const base = `nats-server-v${RELEASE}-${process.platform}-${architecture}`;
  const folder = `${RELEASES_URL}/v${RELEASE}`;
  const sums = (await download(`${folder}/SHA256SUMS`)).toString("utf8");
  const expected = sums
    .split("\n")
    .map((line) => line.trim().split(/\s+\*?/))
    .find(([, name]) => name === `${base}.tar.gz`);
  if (expected === undefined) throw new Error(`there is no ${base}.tar.gz`);
  const archive = await download(`${folder}/${base}.tar.gz`);
  if (createHash("sha256").update(archive).digest("hex") !== expected[0].toLowerCase()) {
    throw new Error(`${base}.tar.gz does not match its SHA256SUMS`);
  }
  return install({ content: await fileFromTarball(archive, `${base}/nats-server`), temporary });
};

const packaged = async (temporary) => install({ from: await debianNatsServer(temporary), temporary });

const install = ({ content, from, temporary }) =>
  installTool({
    name: (version) => `nats-server-${version}`,
    binary: "nats-server",
    content,
    from,
    accepts: accept,
    temporary,
  });

const accept = (version) => {
  if (isOlder(version, MINIMUM)) throw new Error(`version ${version} is older than ${MINIMUM}`);
};

const isOlder = (version, minimum) => version.localeCompare(minimum, "en", { numeric: true }) < 0;

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

const download = async (url) => {
  const abort = new AbortController();
  const giveUpIn = (millis) => setTimeout(() => abort.abort(new Error(`nothing came for ${millis / 1000} s`)), millis);
  let timer = giveUpIn(ANSWER_MILLIS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const chunks = [];
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = giveUpIn(STALL_MILLIS);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw new Error(`${url}: ${error.cause?.message ?? error.message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
};
