/**
 * `.tools/`: every tool in a folder of its own.
 * 1. A tool is unpacked into `temporary-…`, tried there, and renamed to its own name: it is there whole or not at all.
 * 2. Of two processes that bring the same tool the second one to rename throws its copy away.
 * 3. What a dead process left in a temporary folder goes at the next start.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { capture } from "./child.mjs";
import { isAlive } from "./lock.mjs";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const TOOLS = join(ROOT, ".tools");

const TRIAL_MILLIS = 30_000;
const FOREIGN_LEFTOVER_MILLIS = 3_600_000;
const host = hostname().replace(/[^A-Za-z0-9]/g, "");

export const say = (line) => process.stderr.write(`setup: ${line}\n`);

export const withTemporaryFolder = async (work) => {
  mkdirSync(TOOLS, { recursive: true });
  const folder = mkdtempSync(join(TOOLS, `temporary-${host}-${process.pid}-`));
  try {
    return await work(folder);
  } finally {
    discard(folder);
  }
};

export const sweepTemporaryFolders = () => {
  for (const name of existsSync(TOOLS) ? readdirSync(TOOLS) : []) {
    const made = /^temporary-([A-Za-z0-9]*)-(\d+)-/.exec(name);
    if (made === null) continue;
    const folder = join(TOOLS, name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (made[1] === host ? !isAlive(Number(made[2])) : age > FOREIGN_LEFTOVER_MILLIS) discard(folder);
  }
};

/** An orphaned child may still write there; what cannot go now goes at the next start. */
const discard = (folder) => {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {}
};

/** The version a tool reports, as "24.21.0"; throws when it does not run. */
export const versionOf = async (tool) => {
  const output = await capture(tool, ["--version"], { timeoutMillis: TRIAL_MILLIS });
  const version = /\d+\.\d+\.\d+/.exec(output)?.[0];
  if (version === undefined) throw new Error(`${tool} --version says "${output.trim()}"`);
  return version;
};

/** The tool's path when it is there and runs; one that does not run is moved out of the way. */
export const workingTool = async (name, binary, temporary) => {
  const path = join(TOOLS, name, binary);
  if (!existsSync(join(TOOLS, name))) return undefined;
  try {
    await versionOf(path);
    return path;
  } catch (error) {
    say(`${name} is damaged and will be fetched again (${error.message})`);
    renameSync(join(TOOLS, name), join(temporary, `damaged-${name}`));
    return undefined;
  }
};

/**
 * Makes a tool of one executable: tries it, then puts it in place as `.tools/<name>/<binary>`. `name` may be a function
 * of the version the executable reports.
 */
export const installTool = async ({ name, binary, content, from, accepts, temporary }) => {
  const draft = mkdtempSync(join(temporary, "tool-"));
  const executable = join(draft, binary);
  mkdirSync(dirname(executable), { recursive: true });
  if (from === undefined) writeFileSync(executable, content);
  else renameSync(from, executable);
  chmodSync(executable, 0o755);
  chmodSync(draft, 0o755);
  const version = await versionOf(executable);
  accepts(version);
  const place = join(TOOLS, name(version));
  try {
    renameSync(draft, place);
  } catch (error) {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  }
  return join(place, binary);
};
