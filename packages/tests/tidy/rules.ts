import { posix } from "node:path";
import {
  filesUsedBy,
  importsOf,
  isSource,
  isTest,
  namedExportsOf,
  packageOf,
  resolve,
  type Sources,
} from "./sources.ts";

/** What a rule objects to, one line each: file, then what is wrong with it. */
export type Rule = (sources: Sources) => ReadonlyArray<string>;

const scan = (
  sources: Sources,
  isMeant: (path: string) => boolean,
  objections: (path: string, text: string) => ReadonlyArray<string>,
): ReadonlyArray<string> =>
  [...sources]
    .filter(([path]) => isMeant(path))
    .flatMap(([path, text]) => objections(path, text).map((objection) => `${path}: ${objection}`));

/** Each package may import those before it, and itself. */
const packageOrder = ["core", "gateways", "runtime", "tests"];

export const importDirection: Rule = (sources) =>
  scan(
    sources,
    (path) => packageOf(path) !== undefined && path.endsWith(".ts"),
    (path, text) =>
      importsOf(text).flatMap((specifier) => {
        const target = resolve(sources, path, specifier);
        if (target === undefined) return [];
        const [from, to] = [packageOf(path), packageOf(target)];
        if (to === undefined || from === undefined || from === to) return [];
        if (specifier.startsWith(".")) return [`imports ${specifier}: reach ${to} by its name, @aegispay/${to}`];
        const isAllowed = packageOrder.includes(to) && packageOrder.indexOf(to) < packageOrder.indexOf(from);
        return isAllowed ? [] : [`imports ${specifier}: ${from} must not know ${to} (${packageOrder.join(" <- ")})`];
      }),
  );

export const natsStaysBehindPorts: Rule = (sources) =>
  scan(
    sources,
    (path) => isSource(path) && !path.includes("/nats/") && !posix.basename(path).startsWith("Nats"),
    (_path, text) =>
      importsOf(text)
        .filter((specifier) => specifier.startsWith("@nats-io/"))
        .map((specifier) => `imports ${specifier}: only files in a folder nats/ or named Nats… do`),
  );

const linesMax = 350;

export const shortFiles: Rule = (sources) =>
  scan(
    sources,
    (path) => /\.(?:ts|mjs)$/.test(path),
    (_path, text) => {
      const lines = text.replace(/\n$/, "").split("\n").length;
      return lines > linesMax ? [`${lines} lines, ${linesMax} are the most: split it by its ideas`] : [];
    },
  );

const reachableFrom = (sources: Sources, entries: ReadonlyArray<string>): ReadonlySet<string> => {
  const reached = new Set<string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path) || !sources.has(path)) continue;
    reached.add(path);
    waiting.push(...filesUsedBy(sources, path));
  }
  return reached;
};

/**
 * What only tests use is dead too, unless it is a port's memory layer: those are for tests and for trying things out.
 */
export const noDeadFiles: Rule = (sources) => {
  const memoryLayers = [...sources.keys()]
    .filter(isTest)
    .flatMap((path) => filesUsedBy(sources, path))
    .filter((path) => posix.basename(path).startsWith("Memory"));
  const alive = reachableFrom(sources, [
    "packages/runtime/src/cli/main.ts",
    ...packageOrder.flatMap((name) => namedExportsOf(sources, name)),
    ...memoryLayers,
  ]);
  return scan(
    sources,
    (path) => isSource(path) && !alive.has(path),
    () => ["is reached from no entry point: use it or delete it"],
  );
};

/** In pieces, or this file would object to itself. */
const registryHosts = [
  ["registry", "npmjs", "org"],
  ["registry", "npmmirror", "com"],
  ["registry", "yarnpkg", "com"],
  ["npm", "pkg", "github", "com"],
  ["npm", "jsr", "io"],
  ["deb", "debian", "org"],
  ["security", "debian", "org"],
  ["snapshot", "debian", "org"],
  ["ftp", "debian", "org"],
  ["archive", "ubuntu", "com"],
  ["pypi", "org"],
  ["files", "pythonhosted", "org"],
  ["proxy", "golang", "org"],
  ["crates", "io"],
].map((labels) => labels.join("."));

export const noRegistryHosts: Rule = (sources) =>
  scan(
    sources,
    () => true,
    (_path, text) =>
      registryHosts
        .filter((host) => text.includes(host))
        .map((host) => `names ${host}: packages come by name from whatever registry the machine uses`),
  );

export const noTestsLeftOut: Rule = (sources) =>
  scan(sources, isTest, (_path, text) =>
    [...text.matchAll(/\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|only|todo)\b/g)].map(
      ([call]) => `has ${call}: a test runs or is deleted`,
    ),
  );

/** The title in a call of `it` or `test`, of their kin such as `it.effect`, and of a table's `it.each(rows)`. */
const testTitle = /\b(?:it|test)(?:\.\w+)*(?:\.(?:each|for)\([^)]*\))?\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|`([^`]*)`)/g;
const titleWordsMin = 3;
/** The row of a table brings the sentence. */
const isFilledIn = (title: string): boolean => /^(?:%s|\$\w+)$/.test(title);

export const testTitlesAreSentences: Rule = (sources) =>
  scan(sources, isTest, (_path, text) =>
    [...text.matchAll(testTitle)]
      .map((match) => match[1] ?? match[2] ?? match[3] ?? "")
      .filter((title) => !isFilledIn(title) && title.trim().split(/\s+/).length < titleWordsMin)
      .map((title) => `test "${title}": say what behaviour it holds, in ${titleWordsMin} words at least`),
  );

const namelessFolders = ["utils", "util", "common", "helpers", "misc", "shared"];

export const foldersAreNouns: Rule = (sources) =>
  scan(
    sources,
    () => true,
    (path) =>
      posix
        .dirname(path)
        .split("/")
        .filter((folder) => namelessFolders.includes(folder.toLowerCase()))
        .map((folder) => `a folder named "${folder}" says nothing: name it after what is in it`),
  );
