import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's own files: path from the root, with slashes, to content. */
export type Sources = ReadonlyMap<string, string>;

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

const notOurs = new Set([".git", ".tools", ".aegispay", "node_modules"]);

/** A walk rather than git's list: an unpacked archive of the project, on a machine without git, is tidy too. */
const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (notOurs.has(entry.name)) return [];
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() && !entry.name.endsWith(".log") ? [path] : [];
  });

export const readSources = (): Sources =>
  new Map(filesBelow("").map((path) => [path, readFileSync(join(root, path), "utf8")]));

/** "core" for `packages/core/src/money/Money.ts`. */
export const packageOf = (path: string): string | undefined => /^packages\/([^/]+)\//.exec(path)?.[1];

export const isSource = (path: string): boolean => /^packages\/[^/]+\/src\/.*\.ts$/.test(path);

export const isTest = (path: string): boolean => /^packages\/tests\/.*\.ts$/.test(path);

const importPatterns = [
  // import … from "x"; export … from "x". Nothing between but names, so that no other statement is swallowed.
  /^\s*(?:import|export)\s+[\w\s{},*$]*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*import\s*["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']\s*\)/g,
];

/** Every module specifier a file imports. */
export const importsOf = (text: string): ReadonlyArray<string> =>
  importPatterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ""));

/** Files a source names without importing them: `new URL("./worker.ts", import.meta.url)`. */
const namedFilesOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/\bnew URL\(\s*["'](\.{1,2}\/[^"']+\.ts)["']/g)].map((match) => match[1] ?? "");

type Exports = Readonly<Record<string, string>>;

const exportsOf = (sources: Sources, name: string): Exports => {
  const manifest = sources.get(`packages/${name}/package.json`);
  return manifest === undefined ? {} : ((JSON.parse(manifest) as { readonly exports?: Exports }).exports ?? {});
};

/** Exports that name one file: a package's doors to the outside. */
export const namedExportsOf = (sources: Sources, name: string): ReadonlyArray<string> =>
  Object.values(exportsOf(sources, name))
    .filter((target) => !target.includes("*"))
    .map((target) => posix.join("packages", name, target));

/** The project's file a specifier means; undefined for a package from outside. */
export const resolve = (sources: Sources, from: string, specifier: string): string | undefined => {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  const parsed = /^@aegispay\/([^/]+)(\/.*)?$/.exec(specifier);
  if (parsed === null) return undefined;
  const name = parsed[1] ?? "";
  const key = `.${parsed[2] ?? ""}`;
  const exported = exportsOf(sources, name);
  const target = exported[key] ?? exported["./*"]?.replace("*", key.slice("./".length)) ?? key;
  return posix.join("packages", name, target);
};

export const filesUsedBy = (sources: Sources, path: string): ReadonlyArray<string> => {
  const text = sources.get(path) ?? "";
  return [...importsOf(text), ...namedFilesOf(text)].flatMap((specifier) => resolve(sources, path, specifier) ?? []);
};
