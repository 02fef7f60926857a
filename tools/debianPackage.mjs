/**
 * nats-server from the Debian archive this machine already uses, without a trace in the system: apt's state, cache and
 * sources are private to a temporary folder, its hooks are cleared (they would write elsewhere), nothing is installed.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture } from "./child.mjs";
import { say } from "./toolFolder.mjs";

/** The first suite whose nats-server is new enough; the binary needs no more than a libc most systems have. */
const SUITE = "forky";
const UPDATE_MILLIS = 120_000;

export const debianNatsServer = async (temporary) => {
  const sources = debianSources();
  if (sources.length === 0) throw new Error("the machine has no apt source of a Debian archive");
  const failures = [];
  for (const [index, source] of sources.entries()) {
    try {
      return await fromSource(source, join(temporary, `apt-${index}`));
    } catch (error) {
      failures.push(error.message);
    }
  }
  throw new Error(failures.join("; "));
};

const fromSource = async ({ file, text, uri }, folder) => {
  say(`fetching nats-server from ${SUITE} of ${uri}`);
  for (const part of ["lists/partial", "archives/partial", "sources", "unpacked"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  writeFileSync(join(folder, "status"), "");
  writeFileSync(join(folder, "sources", file), text);
  const settings = join(folder, "apt.conf");
  writeFileSync(settings, aptSettings(folder));
  const apt = (...args) => capture("apt-get", ["-c", settings, ...args], { cwd: folder, timeoutMillis: UPDATE_MILLIS });
  await apt("update", "--error-on=any");
  await apt("download", "nats-server");
  const archive = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (archive === undefined) throw new Error("apt-get downloaded no package");
  await capture("dpkg-deb", ["-x", join(folder, archive), join(folder, "unpacked")], { timeoutMillis: UPDATE_MILLIS });
  const binary = ["usr/sbin", "usr/bin"].map((part) => join(folder, "unpacked", part, "nats-server")).find(existsSync);
  if (binary === undefined) throw new Error(`${archive} holds no nats-server`);
  return binary;
};

const aptSettings = (folder) => `
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::State "${folder}";
Dir::State::lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}";
Dir::Cache::archives "${folder}/archives";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "${folder}/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
`;

/** Each Debian archive among the machine's apt sources, as a source of our suite: its address, keys and options stay. */
const debianSources = () => {
  const parts = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(parts)
      ? readdirSync(parts)
          .sort()
          .map((name) => join(parts, name))
      : []),
  ];
  const sources = files
    .filter((file) => existsSync(file))
    .flatMap((file) => {
      const text = readFileSync(file, "utf8");
      if (file.endsWith(".sources")) return fromStanzas(text);
      return file.endsWith(".list") ? fromLines(text) : [];
    });
  return [...new Map(sources.map((source) => [source.uri, source])).values()];
};

/** Security and third-party archives carry no suite of ours. */
const isDebianArchive = (uri) => /\/debian\/?$/.test(uri);

const fromLines = (text) =>
  text.split("\n").flatMap((line) => {
    const parsed = /^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s+\S+\s+main\b/.exec(line);
    if (parsed === null || !isDebianArchive(parsed[2])) return [];
    return [{ uri: parsed[2], file: "archive.list", text: `deb ${parsed[1] ?? ""}${parsed[2]} ${SUITE} main\n` }];
  });

const REPLACED = new Set(["types", "uris", "suites", "components", "targets", "enabled"]);

const fromStanzas = (text) =>
  text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      // A line that starts with a blank continues the field before it.
      const fields = stanza.split(/\n(?=\S)/).flatMap((field) => {
        const parsed = /^\s*([A-Za-z-]+):([\s\S]*)$/.exec(field);
        return parsed === null ? [] : [{ name: parsed[1].toLowerCase(), value: parsed[2].trim(), field: field.trim() }];
      });
      const words = (name) => (fields.find((field) => field.name === name)?.value ?? "").split(/\s+/);
      const isUsed =
        words("types").includes("deb") && words("components").includes("main") && words("enabled")[0] !== "no";
      const kept = fields.filter(({ name }) => !REPLACED.has(name)).map(({ field }) => `${field}\n`);
      return (isUsed ? words("uris") : []).filter(isDebianArchive).map((uri) => ({
        uri,
        file: "archive.sources",
        text: `Types: deb\nURIs: ${uri}\nSuites: ${SUITE}\nComponents: main\nTargets: Packages\n${kept.join("")}`,
      }));
    });
